//! A run's training, from its first step or a checkpoint to its last evaluation.

mod benchmark;
mod error;
mod run;
mod schedule;

pub use benchmark::{Benchmark, Benchmarks};
pub use error::SessionError;
pub use run::Session;
pub use schedule::{Due, Schedule};
