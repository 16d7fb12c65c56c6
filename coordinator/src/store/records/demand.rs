//! How much there is to do.

use std::collections::BTreeMap;

use acai_sweep::run::RunState;

/// How much there is to do, over all sweeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// Runs in plans, by their state.
    pub runs: BTreeMap<RunState, u64>,
    /// Queued runs that a worker could start now, by the dataset that it needs: of sweeps that are not paused, as many as
    /// each sweep's limit leaves.
    pub startable: BTreeMap<String, u64>,
    /// Since when, by the store's clock, the run waits that is first in its sweep's queue: the longest such wait. None where
    /// none waits.
    pub waiting_since_ms: Option<i64>,
}
