//! How well codes fall into classes by themselves.

use std::task::Poll;

use tch::Tensor;

use super::{Benchmark, CHUNK};
use crate::model::Model;
use crate::score::clustering;

/// Training images that are clustered, at most (acai.md, "Clustering").
const TRAINING_IMAGES: i64 = 60_000;
/// Keys of drawn codes of training images begin here, those of test images at 0.
const TRAINING_KEYS: u64 = 1 << 32;

/// The clustering accuracy of a model on its way, which takes minutes on a large dataset.
#[derive(Debug, Default)]
pub struct Clustering {
    /// Codes of training images, `[CHUNK, d]` each.
    train: Vec<Tensor>,
    /// Codes of test images.
    test: Vec<Tensor>,
    /// Once there are all codes.
    score: Option<clustering::Clustering>,
}

impl Clustering {
    /// Does a part of it, a chunk of codes or an iteration of K-means; always with the same `model`, which is of one run, and so
    /// many restarts of K-means. At the end the accuracy in %: `None` where the training set is endless or without labels, or
    /// a code is not finite.
    pub fn advance(&mut self, benchmark: &Benchmark, model: &dyn Model, restarts: u32) -> Poll<Option<f64>> {
        let _guard = tch::no_grad_guard();
        if let Some(score) = &mut self.score {
            return score.advance().map_or(Poll::Pending, |accuracy| Poll::Ready(Some(accuracy)));
        }
        let Benchmark { source, .. } = benchmark;
        if source.classes() == 1 {
            return Poll::Ready(None);
        }
        let codes = |images: &Tensor, key: u64| benchmark.encode(model, images, key).latents.flatten(1, 3);
        let first = self.train.len() as i64 * CHUNK;
        let Some(batch) = source.train(first..first + CHUNK) else { return Poll::Ready(None) };
        if first < TRAINING_IMAGES && batch.images.size()[0] > 0 {
            self.train.push(codes(&batch.images, TRAINING_KEYS + self.train.len() as u64));
            return Poll::Pending;
        }
        let test = source.test();
        if let Some(images) = test.images.split(CHUNK, 0).get(self.test.len()) {
            self.test.push(codes(images, self.test.len() as u64));
            return Poll::Pending;
        }
        let [train, test_codes] =
            [&mut self.train, &mut self.test].map(|codes| Tensor::cat(&std::mem::take(codes), 0));
        let train = train.narrow(0, 0, train.size()[0].min(TRAINING_IMAGES));
        let classes = source.classes();
        self.score = clustering::Clustering::new(&train, &test_codes, (&test.labels, classes), restarts);
        if self.score.is_some() { Poll::Pending } else { Poll::Ready(None) }
    }
}
