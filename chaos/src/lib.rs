//! The outside checker.
//!
//! It starts real coordinators, workers and trainers, stands between them with proxies of its own, breaks all of
//! them by a schedule that a seed decides, and writes down what each client was told. When the faults have stopped
//! and the sweeps are complete it holds that journal against the database and the disks, and both against the same
//! sweeps trained undisturbed. It shares no code with coordinator or worker, only the messages on the wire.
//!
//! Read in this order: [`schedule`] (which faults, when), [`proxy`] (what passes, what is written down),
//! [`journal`], [`cluster`] (processes, and how each fault is done), [`session`] (all of it, in time), [`check`]
//! (the judgement). `schedule` and `check` are pure.

pub mod check;
pub mod cluster;
pub mod database;
pub mod journal;
pub mod programs;
pub mod proxy;
pub mod random;
pub mod reference;
pub mod report;
pub mod schedule;
pub mod session;
pub mod store_kind;
pub mod sweep;
pub mod tally;
pub mod weights;
