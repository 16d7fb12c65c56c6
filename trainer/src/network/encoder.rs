//! From images to latent codes.

use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

use super::convolutions::{self, Convolution, three_by_three};
use super::{Architecture, Parameters, Role, leaky_relu};

/// Encoder: a 1×1 convolution, then at each scale two convolutions and an average pool, then two more.
#[derive(Debug)]
pub struct Encoder {
    scales: u32,
    /// Parameters `encoder.i.…`.
    pub parameters: Parameters,
}

impl Encoder {
    /// Initial weights of the run seeded with `seed`.
    pub fn new(sizes: &Architecture, seed: u64, options: (Kind, Device)) -> Encoder {
        Encoder::named("encoder", sizes, &mut Role::Encoder.weights(seed), options)
    }

    pub(super) fn named(
        name: &str,
        sizes: &Architecture,
        random: &mut ChaCha8Rng,
        options: (Kind, Device),
    ) -> Encoder {
        let mut layers = vec![Convolution { inputs: sizes.colours, outputs: sizes.depth, kernel: 1 }];
        let mut channels = sizes.depth;
        for scale in 0..sizes.scales {
            layers.push(three_by_three(channels, sizes.depth_at(scale)));
            channels = sizes.depth_at(scale);
            layers.push(three_by_three(channels, channels));
        }
        layers.push(three_by_three(channels, sizes.depth_at(sizes.scales)));
        layers.push(three_by_three(sizes.depth_at(sizes.scales), sizes.latent));
        let parameters = convolutions::parameters(name, &layers, random, options);
        Encoder { scales: sizes.scales, parameters }
    }

    /// Latent codes `[n, latent, w, w]` of images `[n, c, 32, 32]`.
    pub fn forward(&self, images: &Tensor) -> Tensor {
        let mut convolve = convolutions::in_order(&self.parameters);
        let mut x = convolve(images);
        for _ in 0..self.scales {
            x = leaky_relu(&convolve(&x));
            x = leaky_relu(&convolve(&x));
            x = x.avg_pool2d(2, 2, 0, false, true, None); // [n, c, h, w] → [n, c, h/2, w/2]
        }
        x = leaky_relu(&convolve(&x));
        convolve(&x)
    }
}
