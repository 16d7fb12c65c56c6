//! The training of a group of runs, each from its first step or a checkpoint to its last evaluation.

mod batch;
mod ending;
mod error;
mod group;
mod run;
mod schedule;
mod writing;

pub use error::{SessionError, catching};
pub use group::{Group, Refusal};
pub use schedule::{Due, Schedule};
