//! From latent codes to images.

use tch::{Device, Kind, Tensor};

use super::convolutions::{self, three_by_three};
use super::{Architecture, Parameters, Role, leaky_relu};

/// Decoder: at each scale two convolutions and a nearest-neighbour upsampling, then two convolutions.
#[derive(Debug)]
pub struct Decoder {
    scales: u32,
    /// Parameters `decoder.i.…`.
    pub parameters: Parameters,
}

impl Decoder {
    /// Initial weights of the run seeded with `seed`.
    pub fn new(sizes: &Architecture, seed: u64, options: (Kind, Device)) -> Decoder {
        let mut layers = Vec::new();
        let mut channels = sizes.latent;
        for scale in (0..sizes.scales).rev() {
            layers.push(three_by_three(channels, sizes.depth_at(scale)));
            channels = sizes.depth_at(scale);
            layers.push(three_by_three(channels, channels));
        }
        layers.push(three_by_three(channels, sizes.depth));
        layers.push(three_by_three(sizes.depth, sizes.colours));
        let random = &mut Role::Decoder.weights(seed);
        let parameters = convolutions::parameters("decoder", &layers, random, options);
        Decoder { scales: sizes.scales, parameters }
    }

    /// Images `[n, c, 32, 32]` of latent codes `[n, latent, w, w]`; not clipped.
    pub fn forward(&self, latents: &Tensor) -> Tensor {
        let mut convolve = convolutions::in_order(&self.parameters);
        let mut x = latents.shallow_clone();
        for _ in 0..self.scales {
            x = leaky_relu(&convolve(&x));
            x = leaky_relu(&convolve(&x));
            let size = [2 * x.size()[2], 2 * x.size()[3]];
            x = x.upsample_nearest2d(size, None, None); // [n, c, h, w] → [n, c, 2h, 2w]
        }
        x = leaky_relu(&convolve(&x));
        convolve(&x)
    }
}
