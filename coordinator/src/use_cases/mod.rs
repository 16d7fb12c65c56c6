//! What people ([`UseCases`]) and workers ([`WorkerCalls`], [`Transfers`]) can do with a coordinator, between the transports
//! and the store: domain types in, domain types and typed errors out.
//!
//! A transport (`service/` for gRPC) turns messages into calls of these and answers into messages, and decides nothing by
//! itself. So another transport can do the same, and says the same.

mod access;
mod artifacts;
mod authorities;
mod control;
mod curves;
mod demand;
mod error;
mod events;
mod feeds;
mod import;
mod machines;
mod missing;
mod results;
mod runs;
mod submissions;
mod sweeps;
mod transfers;
mod unserved;
mod workers;

use std::sync::Arc;

use feeds::Feeds;

use crate::lease::LeaseTerms;
use crate::store::{Store, Submitter};

pub use artifacts::Artifacts;
pub use curves::{CurvePart, CurveRequest, Curves};
pub use error::{Result, UseCaseError};
pub use events::Events;
pub use import::Imported;
pub use machines::{Machine, Machines};
pub use missing::MissingCheckpoint;
pub use results::{At, ResultTables, TableRequest};
pub use runs::{Runs, Which};
pub use submissions::Submitted;
pub use sweeps::SweepStatus;
pub use transfers::{Announced, Progress, Transfers, Upload};
pub use workers::{Claimed, Completion, Failure, RejectedCheckpoint, WorkerCalls};

/// Everything that people can ask of a coordinator.
#[derive(Clone)]
pub struct UseCases {
    store: Arc<dyn Store>,
    terms: LeaseTerms,
    feeds: Feeds,
    submitter: Option<Submitter>,
}

impl UseCases {
    /// On this store; workers that are silent for longer than a lease count as gone.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, terms: LeaseTerms) -> UseCases {
        UseCases { store, terms, feeds: Feeds::default(), submitter: None }
    }

    /// For somebody whose what is submitted becomes, and who may have only so much.
    #[must_use]
    pub fn on_behalf_of(&self, submitter: Option<Submitter>) -> UseCases {
        UseCases { submitter, ..self.clone() }
    }
}
