//! Keyed randomness: every random number of a run is a function of (seed, purpose, step).
//!
//! No generator lives longer than the call that needs it, so a run's inputs do not depend on its
//! group, on its device or on how often it was resumed, and a checkpoint holds no generator state.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal, StandardUniform};
use tch::{Device, Kind, Tensor};

use crate::device::send;

/// What a stream of random numbers is for. Streams of different purposes are independent.
///
/// The numbers are part of every run's identity: never reuse or renumber one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Examples that a K-means starts from; the "step" is the restart.
    Clusters = 7,
    /// Noise on the images that a denoising autoencoder sees.
    Noise = 10,
    /// Which values of a code dropout keeps.
    Dropout = 11,
    /// Codes drawn from a posterior; in an evaluation the "step" is the number of the chunk.
    Posterior = 12,
    /// Codes drawn from a prior.
    Prior = 13,
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

/// Where a group's random numbers for one step come from.
pub trait Draws {
    /// Uniform numbers in [0, 1), `[K, n, d]`.
    fn uniform(&self, purpose: Purpose, n: i64, d: i64) -> Tensor;

    /// Standard normal numbers, `[K, n, d]`.
    fn normal(&self, purpose: Purpose, n: i64, d: i64) -> Tensor;
}

/// Draws that are keyed by each member's seed and step.
#[derive(Debug)]
pub struct Keyed<'a> {
    /// Seed and step of each member.
    pub keys: &'a [(u64, u64)],
    /// Kind and device of the numbers.
    pub options: (Kind, Device),
}

impl Keyed<'_> {
    fn draw<D: Distribution<f64>>(&self, distribution: D, purpose: Purpose, n: i64, d: i64) -> Tensor {
        let numbers = self.keys.iter().flat_map(|(seed, step)| {
            (&distribution).sample_iter(stream(*seed, purpose, *step)).take((n * d) as usize)
        });
        let numbers: Vec<f64> = numbers.collect();
        let (kind, device) = self.options;
        send(&Tensor::from_slice(&numbers).to_kind(kind), device).view([-1, n, d])
    }
}

impl Draws for Keyed<'_> {
    fn uniform(&self, purpose: Purpose, n: i64, d: i64) -> Tensor {
        self.draw(StandardUniform, purpose, n, d)
    }

    fn normal(&self, purpose: Purpose, n: i64, d: i64) -> Tensor {
        self.draw(StandardNormal, purpose, n, d)
    }
}
