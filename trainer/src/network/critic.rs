//! The critic of interpolations.

use tch::Tensor;

use super::{Architecture, Encoder, Members, Parameters, Pick, Role, flatten};

/// Critic d_ω: an encoder whose outputs are averaged to one number an image, its guess of α
/// (paper, section 3).
#[derive(Debug)]
pub struct Critic {
    encoder: Encoder,
}

impl Critic {
    /// Initial weights; `sizes` has the critic's own depth.
    #[must_use]
    pub fn new(sizes: &Architecture, members: &Members) -> Critic {
        Critic { encoder: Encoder::of(Role::Critic, sizes, members) }
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> Critic {
        Critic { encoder: self.encoder.pick(pick) }
    }

    /// Guesses `[n, K]` for images `[n, K·c, 32, 32]`.
    pub fn forward(&self, images: &Tensor) -> Tensor {
        let outputs = flatten(&self.encoder.forward(images), self.parameters().members()); // [K, n, d]
        outputs.mean_dim([2].as_slice(), false, None).tr()
    }

    /// Parameters `critic.i.…`.
    pub fn parameters(&self) -> &Parameters {
        self.encoder.parameters()
    }

    /// The same, to change.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        self.encoder.parameters_mut()
    }
}
