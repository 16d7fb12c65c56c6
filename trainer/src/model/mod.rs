//! The models: what is minimised, and how images become latent codes and come back.

mod acai;
mod adversarial;
mod autoencoder;
mod baseline;
mod losses;

pub use acai::Acai;
pub use adversarial::{AdversarialRegularizer, Criticism, Interpolated};
pub use autoencoder::Autoencoder;
pub use baseline::Baseline;
pub use losses::Losses;

use acai_sweep::training::{self, TrainingConfig};
use tch::{Device, Kind, Tensor};

use crate::adam::Adam;
use crate::network::{Architecture, ArchitectureError, Parameters};

/// A training batch on the model's device.
#[derive(Debug)]
pub struct Input {
    /// `[n, c, 32, 32]`, channels-last.
    pub images: Tensor,
    /// `[n]`, i64.
    pub labels: Tensor,
}

/// A model in training: networks, losses and the state of their optimizer.
pub trait Model {
    /// Losses of a batch, and the gradient `[p]` of each network's parameters in the order of
    /// [`Model::parameters`], all at the present weights.
    ///
    /// Random numbers are those of training step `step` (from 0) of the run seeded with `seed`. Nothing is
    /// read back from the device.
    fn gradients(&self, input: &Input, seed: u64, step: u64) -> (Losses, Vec<Tensor>);

    /// Latent codes `[n, latent, w, w]` of images `[n, c, 32, 32]`, as interpolation wants them.
    fn encode(&self, images: &Tensor) -> Tensor;

    /// Images `[n, c, 32, 32]` of latent codes `[n, latent, w, w]`.
    fn decode(&self, latents: &Tensor) -> Tensor;

    /// Logits `[n, classes]` of latent codes.
    fn classify(&self, latents: &Tensor) -> Tensor;

    /// Every network's parameters, in a fixed order.
    fn parameters(&self) -> Vec<&Parameters>;

    /// The same, to change.
    fn parameters_mut(&mut self) -> Vec<&mut Parameters>;
}

/// One training step: all gradients at the same weights, then all updates.
pub fn step(model: &mut dyn Model, adam: &Adam, input: &Input, seed: u64, step: u64) -> Losses {
    let (losses, gradients) = model.gradients(input, seed, step);
    for (parameters, gradient) in model.parameters_mut().into_iter().zip(&gradients) {
        adam.update(parameters, gradient, step + 1);
    }
    losses
}

/// The untrained model of a run, for images of `colours` channels in `classes` classes.
///
/// ACAI with λ = 0 is the baseline: no gradient of a critic reaches the autoencoder then, so none is trained.
///
/// # Errors
/// When the configuration's sizes fit no network.
pub fn new(
    config: &TrainingConfig,
    (colours, classes): (i64, i64),
    seed: u64,
    options: (Kind, Device),
) -> Result<Box<dyn Model>, ArchitectureError> {
    let sizes = |depth| Architecture::new(colours, depth, config.latent, config.latent_width);
    let autoencoder = Autoencoder::new(&sizes(config.depth)?, classes, seed, options);
    Ok(match config.model {
        training::Model::Acai { lambda, gamma, advdepth } if lambda != 0.0 => {
            let regularizer = AdversarialRegularizer::new(&sizes(advdepth)?, lambda, gamma, seed, options);
            Box::new(Acai { autoencoder, regularizer })
        }
        training::Model::Acai { .. } | training::Model::Baseline => Box::new(Baseline { autoencoder }),
    })
}

/// Flat gradients of `losses` (summed) with regard to each network's parameters, and to nothing else: no
/// gradient of another network's weights is computed.
fn gradients<const N: usize>(losses: &[&Tensor], networks: [&Parameters; N]) -> [Tensor; N] {
    let leaves: Vec<&Tensor> = networks.iter().flat_map(|network| network.leaves()).collect();
    let all = Tensor::run_backward(losses, &leaves, false, false);
    let mut rest = all.as_slice();
    networks.map(|network| {
        let (own, others) = rest.split_at(network.leaves().len());
        rest = others;
        network.flatten(own)
    })
}
