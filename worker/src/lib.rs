//! The agent of one machine.
//!
//! [`run`] registers with a coordinator, claims groups of runs whenever a slot is free, trains each
//! group in a trainer process of its own, and reports what that process reports. It keeps its
//! leases, gives up what it has lost, and on a request to stop it checkpoints, flushes and hands
//! its runs back.
//!
//! Read in this order: `agent` (which groups, on which slots), `group` (one trainer process and the
//! runs in it), `member` (one of those runs), `slot_pool` (which slots are free, and which rest after what was the machine's
//! fault), `reporter` with `spooling` and `sending` (an attempt's
//! points on their way: into its `spool`, then its `outbox`), `closing` (how an attempt ends),
//! `checkpoints` (what a run leaves on this machine), `recovery` (what a killed agent left).

mod agent;
mod backoff;
mod blobs;
mod checkpoints;
mod closing;
mod config;
mod context;
mod coordinator;
pub mod datasets;
pub mod devices;
mod durable;
mod error;
mod group;
mod guard;
pub mod hardware;
mod launch;
mod leases;
mod lines;
mod machine_fault;
mod member;
mod outbox;
mod peer;
mod pictures;
mod process_identity;
mod progress_watch;
mod recovery;
mod registrar;
mod renewal;
mod reporter;
mod resume;
mod sending;
mod slot_pool;
mod spool;
mod spooling;
mod state_folder;
mod summary;
mod trainer_binary;
mod trainer_process;

pub use agent::run;
pub use config::WorkerConfig;
pub use error::WorkerError;
pub use pictures::picture_folders;
pub use summary::Summary;
pub use trainer_binary::{TrainerNotFound, locate};
