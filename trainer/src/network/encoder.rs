//! From images to latent codes.

use tch::Tensor;

use super::stack::{Layer, Stack};
use super::{Architecture, Members, Parameters, Pick, Role};

/// Encoder: a 1×1 convolution, then at each scale two convolutions and an average pool, then two more.
#[derive(Debug)]
pub struct Encoder {
    stack: Stack,
}

impl Encoder {
    /// Initial weights.
    #[must_use]
    pub fn new(sizes: &Architecture, members: &Members) -> Encoder {
        Encoder::of(Role::Encoder, sizes, members)
    }

    pub(super) fn of(role: Role, sizes: &Architecture, members: &Members) -> Encoder {
        let mut layers = vec![sizes.one_by_one(sizes.medium.channels(), sizes.depth)];
        let mut channels = sizes.depth;
        for scale in 0..sizes.scales {
            layers.extend([sizes.three_by_three(channels, sizes.depth_at(scale)), Layer::LeakyRelu]);
            channels = sizes.depth_at(scale);
            layers.extend([sizes.three_by_three(channels, channels), Layer::LeakyRelu]);
            layers.push(sizes.pool());
        }
        layers.extend([sizes.three_by_three(channels, sizes.depth_at(sizes.scales)), Layer::LeakyRelu]);
        layers.push(sizes.three_by_three(sizes.depth_at(sizes.scales), sizes.latent));
        Encoder { stack: Stack::new(role, layers, sizes.compute(members), members) }
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> Encoder {
        Encoder { stack: self.stack.pick(pick) }
    }

    /// Latent codes `[n, K·latent, w, w]` of images `[n, K·c, 32, 32]`; of strings `[n, K·c, 1, 32]` they are `[n, K·latent, 1, w]`.
    pub fn forward(&self, images: &Tensor) -> Tensor {
        self.stack.forward(images)
    }

    /// Parameters `encoder.i.…`.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.stack.parameters
    }

    /// The same, to change.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.stack.parameters
    }
}
