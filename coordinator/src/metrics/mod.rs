//! What a coordinator tells of itself: [`Metrics`] are counted where things happen, [`Observation`] looks up at each scrape
//! what the database knows. No label names a run, a sweep, a worker or a person: there would be too many, and
//! `acai status` has them.

mod health;
mod measured;
mod observation;

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::watch;

pub(crate) use health::{Health, health, tell_health};
pub(crate) use measured::Measured;
pub use observation::Observation;

/// Writes that follow each other sooner are noted as one.
const OFTEN: Duration = Duration::from_millis(50);

/// One label and its value.
type Label = [(&'static str, &'static str); 1];
/// No label: for what can be left out.
type Unlabelled = [(&'static str, &'static str); 0];

/// By method and code.
type Answers = Family<[(&'static str, String); 2], Histogram, fn() -> Histogram>;

/// What is counted as it happens in a coordinator. Clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    pub(crate) claim_wait_seconds: Histogram,
    pub(crate) attempts_ended: Family<Label, Counter>,
    pub(crate) leases_expired: Counter,
    pub(crate) fenced_writes: Counter,
    pub(crate) points_acknowledged: Counter,
    pub(crate) blob_bytes: Family<Label, Counter>,
    pub(crate) auth_failures: Family<Label, Counter>,
    rpc_duration_seconds: Answers,
    store_commit_seconds: Histogram,
    last_write: watch::Sender<Option<Instant>>,
    observed: Observed,
}

/// What is looked up in the database.
#[derive(Debug, Clone, Default)]
struct Observed {
    runs: Family<Label, Gauge>,
    runs_startable: Family<Unlabelled, Gauge>,
    queue_oldest_seconds: Family<Unlabelled, Gauge<f64, AtomicU64>>,
    workers: Family<Label, Gauge>,
    worker_slots: Family<Label, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Metrics {
            // From a tenth of a second to a day and a half.
            claim_wait_seconds: Histogram::new(exponential_buckets(0.1, 4.0, 11)),
            attempts_ended: Family::default(),
            leases_expired: Counter::default(),
            fenced_writes: Counter::default(),
            points_acknowledged: Counter::default(),
            blob_bytes: Family::default(),
            auth_failures: Family::default(),
            rpc_duration_seconds: Family::new_with_constructor(durations),
            store_commit_seconds: durations(),
            last_write: watch::Sender::default(),
            observed: Observed::default(),
        };
        // They count from 0, so that an alert notices the first.
        let counted = [
            (&metrics.attempts_ended, "outcome", ENDS),
            (&metrics.blob_bytes, "direction", &["in", "out"]),
            (&metrics.auth_failures, "reason", REFUSALS),
        ];
        for (counters, label, values) in counted {
            values.iter().for_each(|value| drop(counters.get_or_create(&[(label, *value)])));
        }
        metrics
    }
}

/// How attempts end, by what their workers say.
const ENDS: &[&str] = &["completed", "failed", "diverged", "released", "machine_fault", "group_fault"];
/// Why requests are refused for their token.
const REFUSALS: &[&str] = &["missing", "damaged", "unknown", "revoked", "expired", "scope"];

/// From half a millisecond to 8 s.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 4.0, 8))
}

impl Metrics {
    /// All of them under their names.
    pub fn register(&self, registry: &mut Registry) {
        let observed = &self.observed;
        registry.register("acai_runs", "Runs in the plans of sweeps, by state", observed.runs.clone());
        registry.register(
            "acai_runs_startable",
            "Queued runs that a worker with their dataset could start now",
            observed.runs_startable.clone(),
        );
        registry.register_with_unit(
            "acai_queue_oldest",
            "How long the run has waited that is first in the queue of its sweep, the longest wait of any sweep",
            Unit::Seconds,
            observed.queue_oldest_seconds.clone(),
        );
        registry.register("acai_workers", "Living workers, by duty", observed.workers.clone());
        let slots = observed.worker_slots.clone();
        registry.register("acai_worker_slots", "Slots of living workers, by state", slots);
        registry.register_with_unit(
            "acai_claim_wait",
            "How long runs had been queued when they were granted to a worker",
            Unit::Seconds,
            self.claim_wait_seconds.clone(),
        );
        self.register_counters(registry);
        registry.register_with_unit(
            "acai_rpc_duration",
            "Time to the beginning of an answer, by method and by the code with which it began",
            Unit::Seconds,
            self.rpc_duration_seconds.clone(),
        );
        registry.register_with_unit(
            "acai_store_commit",
            "How long the database takes to commit a small write, tried every few seconds",
            Unit::Seconds,
            self.store_commit_seconds.clone(),
        );
    }

    fn register_counters(&self, registry: &mut Registry) {
        registry.register(
            "acai_attempts_ended",
            "Attempts whose end was reported here, by outcome; a report that a worker repeats counts again",
            self.attempts_ended.clone(),
        );
        let leases = self.leases_expired.clone();
        registry.register(
            "acai_leases_expired",
            "Leases that ended without a word from their worker",
            leases,
        );
        registry.register(
            "acai_fenced_writes",
            "Calls of workers that were refused since their attempt no longer holds its run",
            self.fenced_writes.clone(),
        );
        registry.register(
            "acai_points_acknowledged",
            "Points of metrics that were acknowledged; those that a worker repeats count again",
            self.points_acknowledged.clone(),
        );
        registry.register(
            "acai_blob_bytes",
            "Bytes of checkpoints and artifacts, in and out",
            self.blob_bytes.clone(),
        );
        registry.register(
            "acai_auth_failures",
            "Requests that were refused for their token, by reason",
            self.auth_failures.clone(),
        );
    }

    /// The store has taken a small write in this time.
    pub(crate) fn committed(&self, took: Duration) {
        self.store_commit_seconds.observe(took.as_secs_f64());
        self.wrote();
    }

    /// The store has taken a write.
    pub(crate) fn wrote(&self) {
        self.last_write.send_if_modified(|last| {
            let is_news = last.is_none_or(|last| last.elapsed() >= OFTEN);
            if is_news {
                *last = Some(Instant::now());
            }
            is_news
        });
    }

    /// Whether the store has taken a write within this time.
    ///
    /// # Errors
    /// What is wrong, for people.
    fn writes(&self, within: Duration) -> Result<(), String> {
        match *self.last_write.borrow() {
            None => Err("the database has taken no write yet".to_owned()),
            Some(last) if last.elapsed() <= within => Ok(()),
            Some(last) => Err(format!("the database has taken no write for {} s", last.elapsed().as_secs())),
        }
    }
}
