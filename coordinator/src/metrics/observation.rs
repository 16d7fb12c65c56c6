//! What the database knows, looked up at each scrape.

use std::sync::Arc;

use acai_sweep::run::RunState;
use acai_telemetry::Observed;

use super::Metrics;
use crate::lease::LeaseTerms;
use crate::store::{Demand, Duty, Result, Store};
use crate::use_cases::{Machine, UseCases};

/// A coordinator, as Prometheus and whoever restarts it see it.
pub struct Observation {
    metrics: Metrics,
    store: Arc<dyn Store>,
    use_cases: UseCases,
    terms: LeaseTerms,
}

impl Observation {
    /// Of a coordinator that counts into these metrics and serves this store.
    #[must_use]
    pub fn new(metrics: Metrics, store: Arc<dyn Store>, terms: LeaseTerms) -> Observation {
        Observation { metrics, use_cases: UseCases::new(Arc::clone(&store), terms), store, terms }
    }

    async fn look(&self) -> Result<(Demand, i64, Vec<Machine>)> {
        let machines = self.use_cases.machines_within_a_lease().await?;
        Ok((self.store.demand().await?, self.store.now_ms().await?, machines))
    }
}

impl Observed for Observation {
    async fn refresh(&self) {
        match self.look().await {
            Ok((demand, now_ms, machines)) => {
                self.metrics.tell_demand(&demand, now_ms);
                self.metrics.tell_machines(&machines);
            }
            Err(error) => {
                tracing::debug!(%error, "cannot look up metrics");
                self.metrics.forget();
            }
        }
    }

    fn ready(&self) -> std::result::Result<(), String> {
        self.metrics.writes(self.terms.readiness())
    }
}

impl Metrics {
    fn tell_demand(&self, demand: &Demand, now_ms: i64) {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for state in RunState::ALL {
            let runs = demand.runs.get(&state).copied().unwrap_or_default();
            self.observed.runs.get_or_create(&[("state", state.as_str())]).set(gauge(runs));
        }
        self.observed.runs_startable.get_or_create(&[]).set(gauge(demand.startable.values().sum()));
        let waited_ms = demand.waiting_since_ms.map_or(0, |since_ms| now_ms.saturating_sub(since_ms).max(0));
        self.observed.queue_oldest_seconds.get_or_create(&[]).set(waited_ms as f64 / 1000.0);
    }

    fn tell_machines(&self, machines: &[Machine]) {
        let alive = || machines.iter().filter(|machine| machine.is_alive);
        for (duty, name) in [(Duty::Open, "open"), (Duty::Cordoned, "cordoned"), (Duty::Drained, "drained")] {
            let workers = alive().filter(|machine| machine.worker.duty == duty).count();
            self.observed.workers.get_or_create(&[("duty", name)]).set(workers as i64);
        }
        let all: i64 = alive().map(|machine| i64::from(machine.worker.registration.slots)).sum();
        let resting: i64 = alive()
            .filter_map(|machine| machine.worker.rest.as_ref())
            .map(|rest| i64::from(rest.slots))
            .sum();
        for (state, slots) in [("working", all - resting), ("resting", resting)] {
            self.observed.worker_slots.get_or_create(&[("state", state)]).set(slots);
        }
    }

    /// Leaves out what cannot be looked up: an old number would be taken for a new one.
    fn forget(&self) {
        self.observed.runs.clear();
        self.observed.runs_startable.clear();
        self.observed.queue_oldest_seconds.clear();
        self.observed.workers.clear();
        self.observed.worker_slots.clear();
    }
}
