//! The training of a group of runs, each from its first step or a checkpoint to its last evaluation.

mod batch;
mod ending;
mod error;
mod group;
mod run;
mod said;
mod schedule;
mod writing;

pub use error::{SessionError, catching};
pub use group::Group;
pub use said::{Refusal, Said};
pub use schedule::{Due, Schedule};
