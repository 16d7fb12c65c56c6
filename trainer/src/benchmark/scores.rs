//! The scores of every evaluation.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use super::{Benchmark, CHUNK, Path};
use crate::model::Model;
use crate::score::accuracy;

/// Interpolations scored, and images in each (the authors' periodic figure).
const INTERPOLATIONS: usize = 256;
const STEPS: i64 = 16;

impl Benchmark {
    /// Scores of `model`, which is of one run, by name. A score that is not finite is left out. `pulse` is called again
    /// and again, for a large test set takes long.
    #[must_use]
    pub fn evaluate(&self, model: &dyn Model, pulse: &mut dyn FnMut()) -> BTreeMap<String, f64> {
        let _guard = tch::no_grad_guard();
        let mut scores = self.reconstruction(model, pulse);
        if let Some(judge) = &self.judge {
            let (from, to) = self.pairs(INTERPOLATIONS);
            let (from, to) = (self.test_images(&from), self.test_images(&to));
            let images = self.interpolate(model, (&from, &to), STEPS, Path::Line);
            let lines = judge.score(&images.squeeze_dim(2));
            scores.push(("eval/mean_distance", lines.mean_distance));
            scores.extend(lines.smoothness.map(|smoothness| ("eval/smoothness", smoothness)));
            scores.push(("eval/smoothness_nan", lines.nan as f64));
        }
        scores.retain(|(_, score)| score.is_finite());
        scores.into_iter().map(|(name, score)| (name.to_owned(), score)).collect()
    }

    /// Squared error and latent accuracy over the whole test set.
    fn reconstruction(&self, model: &dyn Model, pulse: &mut dyn FnMut()) -> Vec<(&'static str, f64)> {
        let test = self.source.test();
        let mut squared_error = Tensor::zeros([], (Kind::Double, self.device));
        let mut logits = Vec::new();
        for (chunk, images) in test.images.split(CHUNK, 0).iter().enumerate() {
            pulse();
            let codes = self.encode(model, images, chunk as u64);
            logits.push(model.classify(&codes.features).squeeze_dim(0));
            let images = images.to_device(self.device);
            squared_error += (self.decode(model, &codes.latents) - images).square().sum(Kind::Double);
        }
        let mse = squared_error.double_value(&[]) / test.images.numel() as f64;
        let mut scores = vec![("eval/reconstruction_mse", mse)];
        if self.source.classes() > 1 {
            let labels = test.labels.to_device(self.device);
            scores.push(("eval/latent_accuracy", accuracy(&Tensor::cat(&logits, 0), &labels)));
        }
        scores
    }
}
