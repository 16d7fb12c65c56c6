//! The trainer program, and a process that runs it.

pub(crate) mod binary;
mod guard;
pub(crate) mod lines;
pub(crate) mod process;
