//! What all pages share.

use std::sync::Arc;

use acai_coordinator::pages::Served;
use acai_coordinator::use_cases::{Transfers, UseCases};

use crate::live::Pulse;

/// What pages are made of.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) use_cases: UseCases,
    pub(crate) transfers: Transfers,
    pub(crate) pulse: Arc<Pulse>,
    /// Becomes true when the server ends.
    pub(crate) stop: tokio::sync::watch::Receiver<bool>,
}

impl Site {
    pub(crate) fn new(served: &Served) -> Site {
        Site {
            use_cases: served.use_cases.clone(),
            transfers: served.transfers.clone(),
            pulse: Arc::new(Pulse::new(served.use_cases.clone())),
            stop: served.stop.clone(),
        }
    }
}
