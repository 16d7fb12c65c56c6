//! What a worker tells of itself: what its slots do, how fast they train, why they rest, what its GPUs say.

mod gpus;
mod trained;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acai_telemetry::Observed;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::attempt::MachineFault;
use crate::summary::Outcome;
use gpus::Gpus;

pub(crate) use trained::TrainedImages;

/// One label and its value.
type Label = [(&'static str, &'static str); 1];

/// What a worker counts as it happens. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    slots: Family<Label, Gauge>,
    images: Counter,
    attempts_ended: Family<Label, Counter>,
    rests: Family<Label, Counter>,
    gpus: Gpus,
    /// The coordinator knows the worker, and it claims runs.
    works: Arc<AtomicBool>,
}

impl Metrics {
    /// All of them under their names.
    pub fn register(&self, registry: &mut Registry) {
        // They count from 0, so that an alert notices the first.
        for outcome in Outcome::ALL {
            drop(self.attempts_ended.get_or_create(&[("outcome", outcome.name())]));
        }
        for reason in MachineFault::KINDS {
            drop(self.rests.get_or_create(&[("reason", reason)]));
        }
        registry.register("acai_agent_slots", "Slots of this worker, by what they do", self.slots.clone());
        registry.register(
            "acai_agent_images",
            "Images that trainers have stepped over, those of steps that were trained before included",
            self.images.clone(),
        );
        registry.register(
            "acai_agent_attempts_ended",
            "Attempts that ended here, by outcome",
            self.attempts_ended.clone(),
        );
        registry.register(
            "acai_agent_rests",
            "How often a slot had to rest since the machine could not train, by reason",
            self.rests.clone(),
        );
        self.gpus.register(registry);
    }

    /// Counts images that an attempt trains, of which each step takes `batch`, from step `from` on.
    pub(crate) fn training(&self, batch: u64, from: u64) -> TrainedImages {
        TrainedImages::new(self.images.clone(), batch, from)
    }

    /// What the slots do now.
    pub(crate) fn tell_slots(&self, free: u32, working: u32, resting: u32) {
        for (state, slots) in [("free", free), ("working", working), ("resting", resting)] {
            self.slots.get_or_create(&[("state", state)]).set(slots.into());
        }
    }

    pub(crate) fn rests(&self, reason: &'static str) {
        self.rests.get_or_create(&[("reason", reason)]).inc();
    }

    /// An attempt has ended.
    pub(crate) fn ended(&self, outcome: Outcome) {
        self.attempts_ended.get_or_create(&[("outcome", outcome.name())]).inc();
    }

    pub(crate) fn says_that_it_works(&self, works: bool) {
        self.works.store(works, Ordering::Relaxed);
    }
}

impl Observed for Metrics {
    async fn refresh(&self) {
        self.gpus.refresh().await;
    }

    fn ready(&self) -> Result<(), String> {
        match self.works.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err("the worker is starting, or ends".to_owned()),
        }
    }
}

/// The unit of what is in bytes.
const BYTES: Unit = Unit::Bytes;
