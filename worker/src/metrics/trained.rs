//! How many images an attempt has trained.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;

/// Counts the images of an attempt by the steps that its trainer tells of.
#[derive(Debug)]
pub(crate) struct TrainedImages {
    images: Counter,
    batch: u64,
    step: AtomicU64,
}

impl TrainedImages {
    pub(super) fn new(images: Counter, batch: u64, from: u64) -> Self {
        Self { images, batch, step: AtomicU64::new(from) }
    }

    /// The images of all steps up to where training has come.
    pub(crate) fn so_far(&self) -> u64 {
        self.step.load(Ordering::Relaxed).saturating_mul(self.batch)
    }

    /// Training has come to this step.
    pub(crate) fn reached(&self, step: u64) {
        let before = self.step.fetch_max(step, Ordering::Relaxed);
        self.images.inc_by(step.saturating_sub(before).saturating_mul(self.batch));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_count_once_from_where_training_began() {
        let images = Counter::default();
        let trained = TrainedImages::new(images.clone(), 64, 100);
        for step in [101, 103, 103, 102, 105] {
            trained.reached(step);
        }
        assert_eq!((images.get(), trained.so_far()), (5 * 64, 105 * 64));
    }
}
