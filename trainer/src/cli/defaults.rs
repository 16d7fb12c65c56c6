//! The paper's settings.

use acai_sweep::training::Dataset;

pub(super) const LAMBDA: f64 = 0.5;
pub(super) const GAMMA: f64 = 0.2;
pub(super) const BATCH: u32 = 64;
pub(super) const LR: f64 = 1e-4;
pub(super) const DEPTH: u32 = 16;
pub(super) const LATENT: u32 = 16;
pub(super) const TOTAL_KIMG: f64 = 16384.0;
pub(super) const EVAL_KIMG: f64 = 64.0;

pub(super) fn latent_width(dataset: Dataset) -> u32 {
    match dataset {
        Dataset::Lines32 => 2,
        Dataset::Digits32 | Dataset::Mnist32 | Dataset::FashionMnist32 => 4,
    }
}
