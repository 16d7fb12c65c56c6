//! The scores of every evaluation.

use std::collections::BTreeMap;

use tch::Tensor;

use super::reconstruction::{Part, parts};
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
            scores.extend(judge.score(&self.interpolate(model, (&from, &to), STEPS, Path::Line)));
        }
        scores.retain(|(_, score)| score.is_finite());
        scores.into_iter().map(|(name, score)| (name.to_owned(), score)).collect()
    }

    /// How well examples come back, and latent accuracy, over the whole test set.
    fn reconstruction(&self, model: &dyn Model, pulse: &mut dyn FnMut()) -> Vec<(&'static str, f64)> {
        let test = self.source.test();
        let mut whole: Vec<Part> = Vec::new();
        let mut logits = Vec::new();
        for (chunk, images) in test.images.split(CHUNK, 0).iter().enumerate() {
            pulse();
            let codes = self.encode(model, images, chunk as u64);
            logits.push(model.classify(&codes.features).squeeze_dim(0));
            let images = images.to_device(self.device);
            let parts = parts(self.source.medium(), &images, &self.decode(model, &codes.latents));
            if whole.is_empty() {
                whole = parts;
            } else {
                whole.iter_mut().zip(parts).for_each(|(whole, part)| whole.sum += part.sum);
            }
        }
        let count = test.labels.size()[0];
        let mean = |part: Part| part.scale * part.sum.double_value(&[]) / (count * part.of_one) as f64;
        let mut scores: Vec<_> = whole.into_iter().map(|part| (part.name, mean(part))).collect();
        if self.source.classes() > 1 {
            let labels = test.labels.to_device(self.device);
            scores.push(("eval/latent_accuracy", accuracy(&Tensor::cat(&logits, 0), &labels)));
        }
        scores
    }
}
