//! Codes of images.

use tch::{Kind, Tensor};

use super::Benchmark;
use crate::model::{Codes, Model};
use crate::network::channels_last;
use crate::random::Keyed;

impl Benchmark {
    /// Codes of images `[n, c, 32, 32]` on any device. Those that are drawn are the same at each call with this `key`.
    pub(super) fn encode(&self, model: &dyn Model, images: &Tensor, key: u64) -> Codes {
        let images = channels_last(&images.to_device(self.device));
        model.encode(&images, &Keyed { keys: &[(0, key)], options: (Kind::Float, self.device) })
    }

    /// The test images with these numbers, `[n, c, 32, 32]`, on the CPU.
    pub(super) fn test_images(&self, numbers: &[i64]) -> Tensor {
        self.source.test().images.index_select(0, &Tensor::from_slice(numbers))
    }
}
