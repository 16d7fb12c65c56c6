//! A trainer: the program, a process that runs it, and an end for that process in every case.

mod binary;
mod breakdown;
mod guard;
mod lines;
mod process;
mod streams;

pub use binary::{TrainerNotFound, locate};
pub(crate) use breakdown::Breakdown;
pub(crate) use process::TrainerProcess;
