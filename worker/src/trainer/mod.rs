//! A trainer: the program, a process that runs it, and an end for that process in every case. A process that can stays for
//! the next group (`idle`).

mod binary;
mod breakdown;
mod guard;
mod idle;
mod launcher;
mod lines;
mod output;
mod process;
mod program;
mod stderr;
mod streams;

pub use binary::{TrainerNotFound, locate};
pub(crate) use breakdown::Breakdown;
pub(crate) use idle::IdleTrainer;
pub use launcher::{Launched, Launcher, Process};
pub(crate) use process::TrainerProcess;
pub(crate) use program::Program;
pub(crate) use stderr::Stderr;
