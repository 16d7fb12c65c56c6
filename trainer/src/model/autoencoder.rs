//! What the models have in common.

use tch::{Device, Kind, Tensor};

use crate::network::{Architecture, Classifier, Decoder, Encoder};

/// Encoder f_θ and decoder g_φ, with the classifier that is trained beside them on their latents.
#[derive(Debug)]
pub struct Autoencoder {
    /// From images to latents.
    pub encoder: Encoder,
    /// From latents to images.
    pub decoder: Decoder,
    /// From latents to classes.
    pub classifier: Classifier,
}

impl Autoencoder {
    /// Initial weights of the run seeded with `seed`.
    pub fn new(sizes: &Architecture, classes: i64, seed: u64, options: (Kind, Device)) -> Autoencoder {
        Autoencoder {
            encoder: Encoder::new(sizes, seed, options),
            decoder: Decoder::new(sizes, seed, options),
            classifier: Classifier::new(sizes.latent_size(), classes, seed, options),
        }
    }
}

/// Mean squared error over all elements.
pub(super) fn mse(target: &Tensor, output: &Tensor) -> Tensor {
    output.mse_loss(target, tch::Reduction::Mean)
}
