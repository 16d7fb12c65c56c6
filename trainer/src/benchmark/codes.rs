//! Codes of images, and images of codes.

use tch::{Kind, Tensor};

use super::Benchmark;
use crate::model::{Codes, Model};
use crate::network::channels_last;
use crate::random::{Draws, Keyed, Purpose};

/// Images that go through a network together on the CPU: so few that what a layer hands to the next is still in a core's
/// cache. A GPU takes all at once.
const TOGETHER: i64 = 64;

impl Benchmark {
    /// Codes of images `[n, c, 32, 32]` on any device. Those that are drawn are the same at each call with this `key`.
    pub(super) fn encode(&self, model: &dyn Model, images: &Tensor, key: u64) -> Codes {
        let all = images.size()[0];
        let keys = [(0, key)];
        let draws = |first| {
            let of_all = Keyed { keys: &keys, options: (Kind::Float, self.device) };
            Part { of_all, all, first }
        };
        let parts = (0..).step_by(TOGETHER as usize).zip(self.parts(images));
        let (latents, features): (Vec<Tensor>, Vec<Tensor>) = parts
            .map(|(first, images)| {
                model.encode(&channels_last(&images.to_device(self.device)), &draws(first))
            })
            .map(|codes| (codes.latents, codes.features))
            .unzip();
        Codes { latents: Tensor::cat(&latents, 0), features: Tensor::cat(&features, 0) }
    }

    /// Images `[n, c, 32, 32]` of latent codes `[n, latent, w, w]`.
    pub(super) fn decode(&self, model: &dyn Model, latents: &Tensor) -> Tensor {
        let images: Vec<Tensor> = self.parts(latents).iter().map(|latents| model.decode(latents)).collect();
        Tensor::cat(&images, 0)
    }

    /// A batch in parts that go through a network together.
    fn parts(&self, batch: &Tensor) -> Vec<Tensor> {
        if self.device.is_cuda() { vec![batch.shallow_clone()] } else { batch.split(TOGETHER, 0) }
    }

    /// The test images with these numbers, `[n, c, 32, 32]`, on the CPU.
    pub(super) fn test_images(&self, numbers: &[i64]) -> Tensor {
        self.source.test().images.index_select(0, &Tensor::from_slice(numbers))
    }
}

/// The draws of a part of a batch, which are those that the whole batch would have for it.
struct Part<'a> {
    of_all: Keyed<'a>,
    /// Images of the batch.
    all: i64,
    /// Images before the part.
    first: i64,
}

impl Draws for Part<'_> {
    fn uniform(&self, purpose: Purpose, n: i64, d: i64) -> Tensor {
        self.of_all.uniform(purpose, self.all, d).narrow(1, self.first, n)
    }

    fn normal(&self, purpose: Purpose, n: i64, d: i64) -> Tensor {
        self.of_all.normal(purpose, self.all, d).narrow(1, self.first, n)
    }
}

#[cfg(test)]
mod tests {
    use acai_sweep::configuration::Configuration;
    use acai_sweep::scalar::Scalar;
    use acai_sweep::training::Dataset;
    use tch::Device;

    use super::super::Benchmarks;
    use super::*;
    use crate::medium::Medium;
    use crate::model;

    #[test]
    fn a_batch_in_parts_has_the_codes_and_images_of_the_whole() {
        // A VAE draws its codes.
        let values =
            [("model", "vae"), ("dataset", "digits32")].map(|(name, value)| (name, Scalar::from(value)));
        let depth = ("depth", Scalar::Int(4));
        let config =
            Configuration::new(values.into_iter().chain([depth])).expect("it is valid").training_config();
        let float = (Kind::Float, Device::Cpu);
        let model = model::new(&[(&config, 0)], (Medium::GREY, 10), float).expect("sizes are valid");
        let benchmark = Benchmarks::new(Device::Cpu, None).get(&Dataset::Digits32).expect("it is built in");
        let images = benchmark.source.test().images.narrow(0, 0, 2 * TOGETHER + 1);

        let codes = benchmark.encode(&*model, &images, 7);
        let whole = model.encode(&channels_last(&images), &Keyed { keys: &[(0, 7)], options: float });
        let decoded = benchmark.decode(&*model, &codes.latents);
        let pairs = [(&codes.latents, &whole.latents), (&codes.features, &whole.features)];
        for (parts, whole) in pairs.into_iter().chain([(&decoded, &model.decode(&whole.latents))]) {
            // But for rounding, which may depend on how many images go through a layer.
            assert!(parts.allclose(whole, 1e-5, 1e-5, false));
        }
    }
}
