//! How many runs a group has: as many as the user says, or what `sizes` finds out by `pace` for each shape.

mod pace;
mod sizes;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::config::GroupSize;
use crate::machine::devices::Slot;
pub(crate) use pace::Pace;
pub(crate) use sizes::Measured;
use sizes::Sizes;

/// What decides about it on the slots of a worker.
#[derive(Debug)]
pub(crate) enum Sizing {
    /// The same for all groups.
    Fixed(u32),
    /// As it is measured while groups train.
    Measured(Mutex<Sizes>),
}

impl Sizing {
    /// On a CPU groups do not pay, so that `auto` is 1 there.
    pub(crate) fn new(wanted: GroupSize, slots: &[Slot]) -> Self {
        match wanted {
            GroupSize::Runs(runs) => Self::Fixed(runs.max(1)),
            GroupSize::Auto if slots.iter().all(|slot| slot.gpu().is_some()) => {
                Self::Measured(Mutex::default())
            }
            GroupSize::Auto => Self::Fixed(1),
        }
    }

    /// For groups of whatever shape is granted.
    pub(crate) fn next(&self) -> u32 {
        match self {
            Self::Fixed(runs) => *runs,
            Self::Measured(sizes) => lock(sizes).next(),
        }
    }

    /// For groups of this shape.
    pub(crate) fn of(&self, shape: &str) -> u32 {
        match self {
            Self::Fixed(runs) => *runs,
            Self::Measured(sizes) => lock(sizes).of(shape),
        }
    }

    /// A group of this shape begins.
    pub(crate) fn begins(&self, shape: &str) {
        if let Self::Measured(sizes) = self {
            lock(sizes).begins(shape);
        }
    }

    /// Whether it should be measured how so many runs of this shape train.
    pub(crate) fn wants(&self, shape: &str, runs: u32) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Measured(sizes) => lock(sizes).wants(shape, runs),
        }
    }

    /// A full group of this shape has trained for a while.
    pub(crate) fn measured(&self, shape: &str, measured: Measured) {
        let Self::Measured(sizes) = self else { return };
        let mut sizes = lock(sizes);
        sizes.measured(shape, measured);
        let Measured { runs, images_per_second, memory } = measured;
        let next = sizes.of(shape);
        tracing::info!(runs, images_per_second, ?memory, next, "groups of this shape have been measured");
    }

    /// So many runs of this shape did not fit into memory at once.
    pub(crate) fn lacks_memory(&self, shape: &str, runs: u32) {
        let Self::Measured(sizes) = self else { return };
        let mut sizes = lock(sizes);
        sizes.lacks_memory(shape, runs);
        tracing::info!(runs, next = sizes.of(shape), "groups of this shape are too large for the memory");
    }
}

fn lock(sizes: &Mutex<Sizes>) -> MutexGuard<'_, Sizes> {
    sizes.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_says_counts_everywhere_and_auto_means_one_run_on_the_cpu() {
        let slot = |device: &str| Slot { device: device.to_owned(), threads: 1, shares_gpu: false };
        let next = |wanted, device: &str| Sizing::new(wanted, &[slot(device)]).next();
        assert_eq!([next(GroupSize::Runs(3), "cpu"), next(GroupSize::Runs(3), "cuda:0")], [3, 3]);
        assert_eq!([next(GroupSize::Auto, "cpu"), next(GroupSize::Auto, "cuda:0")], [1, 8]);
    }
}
