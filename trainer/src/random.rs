//! Keyed randomness: every random number of a run is a function of (seed, purpose, step).
//!
//! No generator lives longer than the call that needs it, so a run's inputs do not depend on its
//! group, on its device or on how often it was resumed, and a checkpoint holds no generator state.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What a stream of random numbers is for. Streams of different purposes are independent.
///
/// The numbers are part of every run's identity: never reuse or renumber one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial weights; the "step" is the network's number.
    Weights = 1,
    /// Images of a training batch.
    Batch = 2,
    /// Order of the training set; the "step" is the epoch.
    Shuffle = 3,
    /// Interpolation coefficients α of a training batch.
    Alpha = 4,
    /// Images of a generated test set.
    TestSet = 5,
    /// Pairs of test images that an evaluation interpolates.
    Pairs = 6,
}

/// The stream of random numbers for `purpose` at `step` of the run seeded with `seed`.
#[must_use]
pub fn stream(seed: u64, purpose: Purpose, step: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&step.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}
