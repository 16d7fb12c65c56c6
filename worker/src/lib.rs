//! The agent of one machine.
//!
//! [`run`] registers with a coordinator, claims groups of runs whenever a slot is free, trains each
//! group in a trainer process of its own, and reports what that process reports. It keeps its
//! leases, gives up what it has lost, and on a request to stop it checkpoints, flushes and hands
//! its runs back.
//!
//! Read in this order: `agent` (which groups on which slots), `attempt` (one group from its grant to its end), `reporting`
//! (an attempt's points and checkpoints on their way to the coordinator), then what these rest on.

mod agent;
mod attempt;
mod backoff;
mod client;
mod config;
mod error;
mod leases;
mod machine;
mod reporting;
mod run_folder;
mod spool;
mod state_folder;
mod summary;
mod trainer;

pub use agent::run;
pub use config::WorkerConfig;
pub use error::WorkerError;
pub use machine::{datasets, devices, hardware};
pub use run_folder::picture_folders;
pub use summary::Summary;
pub use trainer::{TrainerNotFound, locate};
