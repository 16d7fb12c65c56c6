//! The coordinator: keeps sweeps, runs, metrics and results, and serves `acai.v1` over gRPC.
//!
//! Reading order: [`store`] says what is remembered and promised, `store/sql` how, for every kind of database;
//! `store/sqlite` and `store/postgres` open one and run its transactions; [`blobs`] is where checkpoints are kept;
//! [`use_cases`] is what people and workers can do; `service` translates between the wire and these; [`guard`] decides by a
//! request's token whether it is served; [`metrics`] says how it goes; [`server`] puts all of it on a listener, and [`pages`] of
//! others beside it.
//!
//! The promise: a run may execute more than once, but only one attempt's effects are ever visible,
//! and whatever was acknowledged stays.

#![allow(
    clippy::duplicate_mod,
    reason = "the statements in store/sql are compiled once for each kind of database"
)]

mod authority;
pub mod blobs;
pub mod clock;
mod connections;
mod deadline;
mod door;
pub mod garbage;
pub mod guard;
mod inspections;
pub mod lease;
pub mod listener;
pub mod metrics;
pub mod pages;
mod retention;
mod run_name;
pub mod server;
mod service;
mod signature;
pub mod store;
pub mod use_cases;

pub use door::Door;
pub use guard::Guard;
pub use lease::LeaseTerms;
pub use metrics::Metrics;
pub use server::{serve, serve_measured};
