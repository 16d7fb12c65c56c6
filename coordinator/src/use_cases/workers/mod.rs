//! What workers ask of a coordinator: work, leases, and that what their runs did is kept.
//!
//! Every call proves that its attempt holds the run, and a call that is repeated gets its first answer, or one that means
//! the same.

mod attempts;
mod checkpoints;
mod claims;
mod idle;

use std::sync::Arc;

use crate::blobs::Blobs;
use crate::inspections::Inspections;
use crate::lease::LeaseTerms;
use crate::metrics::Metrics;
use crate::store::Store;
use idle::Idle;

pub use attempts::{Completion, Failure};
pub use checkpoints::RejectedCheckpoint;
pub use claims::Claimed;

/// Everything that workers can ask of a coordinator.
#[derive(Clone)]
pub struct WorkerCalls {
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    terms: LeaseTerms,
    inspections: Inspections,
    idle: Arc<Idle>,
    metrics: Metrics,
}

impl WorkerCalls {
    /// On this store, with checkpoints in `blobs` and leases of these terms; counted in `metrics`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        blobs: Arc<dyn Blobs>,
        terms: LeaseTerms,
        metrics: Metrics,
    ) -> WorkerCalls {
        let (inspections, idle) = Default::default();
        WorkerCalls { store, blobs, terms, inspections, idle, metrics }
    }

    /// How long a worker may be silent, and how often it renews.
    #[must_use]
    pub fn terms(&self) -> LeaseTerms {
        self.terms
    }
}
