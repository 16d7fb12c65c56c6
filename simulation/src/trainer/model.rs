//! What a run trains, as a function of its configuration, its seed and the step alone.

use acai_sweep::training::{IMAGES_PER_KIMG, TrainingConfig};
use sha2::{Digest, Sha256};

/// Steps between two points of the loss.
const LOSS_EVERY: u64 = 3;

pub(crate) const LOSS: &str = "train/loss";
pub(crate) const SCORE: &str = "eval/mean_distance";

/// The name of the picture that trainers draw.
pub(crate) const PICTURE: &str = "samples.png";

/// What is in the picture that is drawn of a model with these weights.
pub(crate) fn picture(weights: u64) -> String {
    format!("picture of {weights}")
}

/// A model that is trained to a schedule.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// What was trained after 0 steps.
    beginning: u64,
    pub(crate) total: u64,
    eval_every: u64,
}

impl Model {
    pub(crate) fn new(config: &TrainingConfig, seed: u64) -> Model {
        let steps = |kimg: f64| ((kimg * IMAGES_PER_KIMG / f64::from(config.batch)).ceil() as u64).max(1);
        let text = serde_json::to_string(config).unwrap_or_default();
        let digest = Sha256::digest(format!("{seed} {text}"));
        let beginning = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        Model { beginning, total: steps(config.total_kimg), eval_every: steps(config.eval_kimg) }
    }

    /// What was trained after `step` steps, each of which goes on from the one before.
    pub(crate) fn weights(&self, step: u64) -> u64 {
        (1..=step).fold(self.beginning, train)
    }

    /// The points of a step.
    pub(crate) fn points(&self, step: u64, weights: u64) -> Vec<(&'static str, f64)> {
        let value = |salt: u64| (train(weights, salt) >> 11) as f64 / (1_u64 << 53) as f64;
        let mut points = Vec::new();
        if step.is_multiple_of(LOSS_EVERY) {
            points.push((LOSS, value(1)));
        }
        if step.is_multiple_of(self.eval_every) || step == self.total {
            points.push((SCORE, value(2)));
        }
        points
    }

    /// All points of a metric, as they are due once `step` steps are trained.
    pub(crate) fn curve(&self, metric: &str, until: u64) -> Vec<(u64, f64)> {
        let (mut weights, mut curve) = (self.beginning, Vec::new());
        for step in 1..=until {
            weights = train(weights, step);
            let points = self.points(step, weights);
            curve.extend(points.iter().filter(|(name, _)| *name == metric).map(|(_, value)| (step, *value)));
        }
        curve
    }

    /// The file of a checkpoint.
    pub(crate) fn checkpoint(&self, step: u64, weights: u64) -> String {
        format!("{:016x} {step} {weights:016x}\n{}", self.beginning, "weights ".repeat(64))
    }

    /// The step of a checkpoint and what is trained there; none of a file that is damaged or of something else.
    pub(crate) fn read(&self, file: &str) -> Option<(u64, u64)> {
        let step = file.split(' ').nth(1)?.parse().ok().filter(|step| *step <= self.total)?;
        let weights = self.weights(step);
        (file == self.checkpoint(step, weights)).then_some((step, weights))
    }
}

/// SplitMix64's step, with a number that sets it apart.
fn train(weights: u64, step: u64) -> u64 {
    let mut mixed = weights.wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_add(step);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
