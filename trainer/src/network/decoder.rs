//! From latent codes to images.

use tch::{Kind, Tensor};

use super::convolutions::{self, three_by_three};
use super::{Architecture, Members, Parameters, Pick, Role, leaky_relu};

/// Decoder: at each scale two convolutions and a nearest-neighbour upsampling, then two convolutions.
#[derive(Debug)]
pub struct Decoder {
    scales: u32,
    compute: Kind,
    /// Parameters `decoder.i.…`.
    pub parameters: Parameters,
}

impl Decoder {
    /// Initial weights.
    #[must_use]
    pub fn new(sizes: &Architecture, members: &Members) -> Decoder {
        let mut layers = Vec::new();
        let mut channels = sizes.latent;
        for scale in (0..sizes.scales).rev() {
            layers.push(three_by_three(channels, sizes.depth_at(scale)));
            channels = sizes.depth_at(scale);
            layers.push(three_by_three(channels, channels));
        }
        layers.push(three_by_three(channels, sizes.depth));
        layers.push(three_by_three(sizes.depth, sizes.colours));
        let parameters = convolutions::parameters(Role::Decoder, &layers, members);
        Decoder { scales: sizes.scales, compute: sizes.compute(members), parameters }
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> Decoder {
        Decoder { parameters: self.parameters.pick(pick), ..*self }
    }

    /// Images `[n, K·c, 32, 32]` of latent codes `[n, K·latent, w, w]`; not clipped.
    pub fn forward(&self, latents: &Tensor) -> Tensor {
        let mut convolve = convolutions::in_order(&self.parameters, self.compute);
        let mut x = latents.to_kind(self.compute);
        for _ in 0..self.scales {
            x = leaky_relu(&convolve(&x));
            x = leaky_relu(&convolve(&x));
            let size = [2 * x.size()[2], 2 * x.size()[3]];
            x = x.upsample_nearest2d(size, None, None); // [n, c, h, w] → [n, c, 2h, 2w]
        }
        x = leaky_relu(&convolve(&x));
        convolve(&x).to_kind(latents.kind())
    }
}
