//! The critic of interpolations.

use tch::{Device, Kind, Tensor};

use super::{Architecture, Encoder, Parameters, Role};

/// Critic d_ω: an encoder whose outputs are averaged to one number an image, its guess of α
/// (paper, section 3).
#[derive(Debug)]
pub struct Critic {
    encoder: Encoder,
}

impl Critic {
    /// Initial weights of the run seeded with `seed`; `sizes` has the critic's own depth.
    pub fn new(sizes: &Architecture, seed: u64, options: (Kind, Device)) -> Critic {
        Critic { encoder: Encoder::named("critic", sizes, &mut Role::Critic.weights(seed), options) }
    }

    /// Guesses `[n]` for images `[n, c, 32, 32]`.
    pub fn forward(&self, images: &Tensor) -> Tensor {
        self.encoder.forward(images).mean_dim([1, 2, 3].as_slice(), false, None)
    }

    /// Parameters `critic.i.…`.
    pub fn parameters(&self) -> &Parameters {
        &self.encoder.parameters
    }

    /// The same, to change.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.encoder.parameters
    }
}
