//! The agent of one machine.
//!
//! [`run`] registers with a coordinator, claims groups of runs whenever a slot is free, trains each group in a trainer
//! process of its own, and reports what that process reports. It renews its leases and gives up runs whose leases it
//! has lost. On a request to stop it has trainers write checkpoints, delivers all reports, and gives its runs back.
//!
//! # Layout
//!
//! Each part uses only parts below it.
//!
//! | part | what it is |
//! |---|---|
//! | `agent` | a worker from start to end: registration, claims, slots, renewal, recovery after a kill |
//! | `attempt` | a group's attempts from grant to end: admission, launch, supervision, runs that join, closing |
//! | `artifacts` | pictures and logs on their way to the coordinator |
//! | `reporting` | an attempt's points and checkpoints on their way: into its spool, then to the coordinator |
//! | `state_folder` | the folder of a worker's own files: who may use it, and for which coordinator's database |
//! | `spool` | the durable history of one attempt |
//! | `run_folder` | what a run leaves on this machine: checkpoints and pictures |
//! | `leases` | which attempts this worker may believe that it holds |
//! | `client` | calls to the coordinator, transfers of checkpoints, and what their failures mean |
//! | `trainer` | the trainer program, and a process that runs it |
//! | `machine` | hardware, devices, datasets; files and processes as the system sees them |
//!
//! Beside these parts are `config` (what the user says), `error`, `summary` and `metrics` (what comes of it), and `backoff`.
//!
//! # Reading order
//!
//! Begin with `agent/mod.rs` and `attempt/group.rs`: together they tell what a worker does. Then follow a run:
//! `attempt/admission.rs`, `attempt/supervision.rs`, `attempt/member.rs` (what an event of its trainer means) and
//! `attempt/closing.rs`. `reporting/mod.rs` says how points become durable. `agent/recovery.rs` and the first pages of
//! `spool`, `run_folder` and `state_folder` say what outlives an agent that is killed.

mod agent;
mod artifacts;
mod attempt;
mod backoff;
mod client;
mod config;
mod error;
mod leases;
mod machine;
mod metrics;
mod reporting;
mod run_folder;
mod spool;
mod state_folder;
mod summary;
mod trainer;

pub use agent::run;
pub use client::Network;
pub use config::{GroupSize, TimeLimit, WorkerConfig};
pub use error::WorkerError;
pub use machine::{datasets, devices, hardware};
pub use metrics::Metrics;
pub use run_folder::picture_folders;
pub use summary::Summary;
pub use trainer::{Launched, Launcher, Process, TrainerNotFound, locate};
