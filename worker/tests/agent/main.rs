//! The agent with real trainer processes, against a coordinator whose network fails on request.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

mod artifacts;
mod checkpoints;
mod coordinator;
mod faults;
mod foreign_folders;
mod group_sizes;
mod joining;
mod killed;
mod machine_faults;
mod outages;
mod restored;
mod setup;
mod stopping;
mod trainers;
mod warm;
