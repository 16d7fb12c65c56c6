//! How well codes fall into classes by themselves.

use tch::Tensor;

use super::{Benchmark, CHUNK};
use crate::data::Batch;
use crate::model::Model;
use crate::score::clustering::clustering_accuracy;

/// Training images that are clustered, at most (acai.md, "Clustering").
const TRAINING_IMAGES: i64 = 60_000;
/// Keys of drawn codes of training images begin here, those of test images at 0.
const TRAINING_KEYS: u64 = 1 << 32;

impl Benchmark {
    /// Clustering accuracy in % of `model`, which is of one run, with so many restarts of K-means. `None` where the
    /// training set is endless or without labels, or a code is not finite. `pulse` is called again and again.
    #[must_use]
    pub fn clustering_accuracy(
        &self,
        model: &dyn Model,
        restarts: u32,
        pulse: &mut dyn FnMut(),
    ) -> Option<f64> {
        if self.source.classes() == 1 {
            return None;
        }
        let _guard = tch::no_grad_guard();
        let mut codes = |images: &Tensor, key: u64| {
            pulse();
            self.encode(model, images, key).latents.flatten(1, 3)
        };
        let chunks = self.source.train(CHUNK)?.map(|Batch { images, .. }| images);
        let chunks = chunks.take((TRAINING_IMAGES as usize).div_ceil(CHUNK as usize));
        let train: Vec<Tensor> =
            chunks.zip(TRAINING_KEYS..).map(|(images, key)| codes(&images, key)).collect();
        let train = Tensor::cat(&train, 0);
        let train = train.narrow(0, 0, train.size()[0].min(TRAINING_IMAGES));
        let test = self.source.test();
        let chunks = test.images.split(CHUNK, 0);
        let of_test: Vec<Tensor> = chunks.iter().zip(0..).map(|(images, key)| codes(images, key)).collect();
        let of_test = Tensor::cat(&of_test, 0);
        clustering_accuracy(&train, &of_test, &test.labels, self.source.classes(), restarts, pulse)
    }
}
