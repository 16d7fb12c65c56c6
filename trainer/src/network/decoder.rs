//! From latent codes to images.

use tch::Tensor;

use super::stack::{Layer, Stack};
use super::{Architecture, Members, Parameters, Pick, Role};

/// Decoder: at each scale two convolutions and a nearest-neighbour upsampling, then two convolutions.
#[derive(Debug)]
pub struct Decoder {
    stack: Stack,
}

impl Decoder {
    /// Initial weights.
    #[must_use]
    pub fn new(sizes: &Architecture, members: &Members) -> Decoder {
        let mut layers = Vec::new();
        let mut channels = sizes.latent;
        for scale in (0..sizes.scales).rev() {
            layers.extend([sizes.three_by_three(channels, sizes.depth_at(scale)), Layer::LeakyRelu]);
            channels = sizes.depth_at(scale);
            layers.extend([sizes.three_by_three(channels, channels), Layer::LeakyRelu]);
            layers.push(sizes.upsample());
        }
        layers.extend([sizes.three_by_three(channels, sizes.depth), Layer::LeakyRelu]);
        layers.push(sizes.three_by_three(sizes.depth, sizes.medium.channels()));
        Decoder { stack: Stack::new(Role::Decoder, layers, sizes.compute(members), members) }
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> Decoder {
        Decoder { stack: self.stack.pick(pick) }
    }

    /// Images `[n, K·c, 32, 32]` of latent codes `[n, K·latent, w, w]`, not clipped; logits `[n, K·c, 1, 32]` of strings' symbols.
    pub fn forward(&self, latents: &Tensor) -> Tensor {
        self.stack.forward(latents)
    }

    /// Parameters `decoder.i.…`.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.stack.parameters
    }

    /// The same, to change.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.stack.parameters
    }
}
