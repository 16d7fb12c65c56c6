//! What a fleet's loop tells of itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acai_telemetry::Observed;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Workers and failures of one fleet.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    fleet: String,
    wanted: Family<[(&'static str, String); 1], Gauge>,
    workers: Family<[(&'static str, String); 2], Gauge>,
    failures: Family<[(&'static str, String); 1], Counter>,
    paused: Family<[(&'static str, String); 1], Gauge>,
    works: Arc<AtomicBool>,
}

impl Metrics {
    pub(super) fn new(fleet: &str) -> Metrics {
        let metrics = Metrics {
            fleet: fleet.to_owned(),
            wanted: Family::default(),
            workers: Family::default(),
            failures: Family::default(),
            paused: Family::default(),
            works: Arc::default(),
        };
        drop(metrics.failures.get_or_create(&[("fleet", fleet.to_owned())]));
        metrics.tell_pause(false);
        metrics
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "acai_fleet_wanted",
            "Jobs that a fleet should have by what there is to do and what it may have",
            self.wanted.clone(),
        );
        registry.register("acai_fleet_workers", "Jobs of a fleet, by what they do", self.workers.clone());
        registry.register(
            "acai_fleet_failures",
            "Jobs that could not be submitted, or ended before their worker came",
            self.failures.clone(),
        );
        registry.register(
            "acai_fleet_paused",
            "Whether a fleet asks for no machines, since its jobs failed, until its loop is started again",
            self.paused.clone(),
        );
    }

    /// How many jobs there should be, and what they do; `arriving` are those that have begun and whose worker is not known yet.
    pub(super) fn tell(&self, wanted: usize, pending: usize, arriving: usize, working: usize) {
        self.wanted.get_or_create(&[("fleet", self.fleet.clone())]).set(wanted as i64);
        for (state, jobs) in [("pending", pending), ("arriving", arriving), ("working", working)] {
            let labels = [("fleet", self.fleet.clone()), ("state", state.to_owned())];
            self.workers.get_or_create(&labels).set(jobs as i64);
        }
        self.works.store(true, Ordering::Relaxed);
    }

    /// Whether the fleet is paused.
    pub(super) fn tell_pause(&self, is_paused: bool) {
        self.paused.get_or_create(&[("fleet", self.fleet.clone())]).set(is_paused.into());
    }

    pub(super) fn failed(&self) {
        self.failures.get_or_create(&[("fleet", self.fleet.clone())]).inc();
    }
}

impl Observed for Metrics {
    async fn refresh(&self) {}

    fn ready(&self) -> Result<(), String> {
        match self.works.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err("the queue has not been looked at yet".to_owned()),
        }
    }
}
