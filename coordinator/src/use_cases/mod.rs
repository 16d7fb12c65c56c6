//! What people can do with a coordinator, between the transports and the store: domain types in, domain types and typed
//! errors out.
//!
//! A transport (`service/` for gRPC) turns messages into calls of [`UseCases`] and answers into messages, and decides
//! nothing by itself. So another transport can do the same, and says the same.

mod artifacts;
mod control;
mod curves;
mod error;
mod machines;
mod results;
mod runs;
mod submissions;
mod sweeps;
mod unserved;

use std::sync::Arc;

use crate::lease::LeaseTerms;
use crate::store::Store;

pub use artifacts::Artifacts;
pub use curves::{CurvePart, CurveRequest, Curves};
pub use error::{Result, UseCaseError};
pub use machines::Machine;
pub use results::{At, ResultTables, TableRequest};
pub use runs::Runs;
pub use submissions::Submitted;
pub use sweeps::SweepStatus;

/// Everything that people can ask of a coordinator.
#[derive(Clone)]
pub struct UseCases {
    store: Arc<dyn Store>,
    terms: LeaseTerms,
}

impl UseCases {
    /// On this store; workers that are silent for longer than a lease count as gone.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, terms: LeaseTerms) -> UseCases {
        UseCases { store, terms }
    }
}
