//! The networks that all models share (paper, appendix; the authors' `lib/layers.py`).
//!
//! Images are `[n, c, h, w]` in channels-last memory, which convolutions run faster in than in
//! channels-first.

mod architecture;
mod classifier;
mod codebook;
mod convolutions;
mod critic;
mod decoder;
mod dense;
mod encoder;
mod leaky_relu;
mod members;
mod parameters;
mod stack;
pub mod tf32;

pub use architecture::{Architecture, ArchitectureError};
pub use classifier::Classifier;
pub use codebook::Codebook;
pub use critic::Critic;
pub use decoder::Decoder;
pub use dense::Dense;
pub use encoder::Encoder;
pub(crate) use leaky_relu::leaky_relu;
pub use members::{Members, Pick, by_member, flatten, mean, rows, unflatten};
pub use parameters::{Initial, Parameter, Parameters};

use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use crate::random::{Purpose, stream};

/// The networks of a run, each with its own stream of initial weights, so that a network's weights
/// do not depend on which others a model has.
#[derive(Debug, Clone, Copy)]
enum Role {
    Encoder = 0,
    Decoder = 1,
    Critic = 2,
    Classifier = 3,
    Posterior = 4,
    Discriminator = 5,
    Vectors = 6,
    Codebook = 7,
}

impl Role {
    /// What its parameters' names begin with.
    fn name(self) -> &'static str {
        match self {
            Role::Encoder => "encoder",
            Role::Decoder => "decoder",
            Role::Critic => "critic",
            Role::Classifier => "classifier",
            Role::Posterior => "posterior",
            Role::Discriminator => "discriminator",
            Role::Vectors => "vectors",
            Role::Codebook => "codebook",
        }
    }

    fn weights(self, seed: u64) -> ChaCha8Rng {
        stream(seed, Purpose::Weights, self as u64)
    }
}

/// The same values `[n, c, h, w]` in channels-last memory; not for differentiating.
///
/// With one channel that changes the strides alone. libtorch reads the layout from them, and would convert the
/// first layer's output and its gradient each time if they said channels-first.
pub fn channels_last(images: &Tensor) -> Tensor {
    let (n, c, h, w) = images.size4().expect("images have four dimensions");
    let values = images.permute([0, 2, 3, 1]).contiguous();
    values.as_strided([n, c, h, w], [h * w * c, 1, w * c, c], None)
}
