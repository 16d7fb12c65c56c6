//! The coordinator: keeps sweeps, runs, metrics and results, and serves `acai.v1` over gRPC.
//!
//! Reading order: [`store`] says what is remembered and promised, `store/sqlite` how; `service`
//! translates between the wire and the store; [`server`] puts both on a listener.
//!
//! The promise: a run may execute more than once, but only one attempt's effects are ever visible,
//! and whatever was acknowledged stays.

pub mod clock;
pub mod lease;
pub mod server;
mod service;
pub mod store;

pub use lease::LeaseTerms;
pub use server::serve;
