//! The domain of ACAI sweeps. Pure: no async, no I/O, no clock, no global randomness.
//!
//! In reading order:
//!
//! - [`parameters`]: the table of everything a sweep can set; [`scalar`]: one value of one parameter.
//! - [`configuration`]: what one run trains, resolved and canonical, with its digests.
//! - [`mod@file`]: sweep files, checked; [`plan`]: the runs they expand to, [`merged`] where points train the same;
//!   [`metric`]: what judges them.
//! - [`run`]: the life of a run; [`control`]: what people may change in it; [`explain`]: why it waits; [`filter`]: conditions
//!   that people choose runs by; [`results`]: the table that a sweep ends in; [`report`]: what the file says of it; [`curve`]: the points behind a value of the table;
//!   [`statistics`] and [`comparison`]: what a few seeds say.

pub mod comparison;
pub mod configuration;
pub mod control;
pub mod curve;
pub mod explain;
pub mod file;
pub mod filter;
pub mod merged;
pub mod metric;
pub mod parameters;
pub mod plan;
pub mod report;
pub mod results;
pub mod run;
pub mod scalar;
pub mod schedule;
pub mod spelling;
pub mod statistics;
pub mod trainer_protocol;
pub mod training;
