//! The models: what is minimised, and how images become latent codes and come back. Where strings are told of no otherwise, they
//! are images of height 1 with a channel for each symbol ([`Medium`](crate::medium::Medium)).
//!
//! Every model is written for the K members of a group (see [`crate::network::Members`]); a run alone is K = 1.

mod aae;
mod acai;
mod adversarial;
mod autoencoder;
mod baseline;
mod likelihood;
mod losses;
mod new;
mod pixels;
mod vae;
mod vqvae;

pub use aae::Aae;
pub use acai::Acai;
pub use adversarial::{AdversarialRegularizer, Criticism, Interpolated};
pub use autoencoder::Autoencoder;
pub use baseline::{Baseline, Corruption};
pub use likelihood::Likelihood;
pub use losses::Losses;
pub use new::new;
pub use pixels::Pixels;
pub use vae::{Encodes, Vae};
pub use vqvae::VqVae;

use std::cell::RefCell;
use std::collections::VecDeque;

use tch::Tensor;

use crate::adam;
use crate::network::{Parameters, Pick};
use crate::random::Draws;

/// A training batch of every member, on the model's device.
pub struct Input<'a> {
    /// `[n, K·c, 32, 32]`, channels-last.
    pub images: Tensor,
    /// `[K, n]`, i64.
    pub labels: Tensor,
    /// The random numbers of this step.
    pub draws: &'a dyn Draws,
}

/// What an encoder makes of images.
#[derive(Debug)]
pub struct Codes {
    /// What is interpolated, clustered and decoded, `[n, K·latent, w, w]`.
    pub latents: Tensor,
    /// What the classifier sees, of the same shape.
    pub features: Tensor,
}

impl Codes {
    fn same(latents: Tensor) -> Codes {
        Codes { features: latents.shallow_clone(), latents }
    }
}

/// K models of one shape in training: networks, losses and the state of their optimizer.
pub trait Model {
    /// Losses of a batch, and the gradient `[K, p]` of each network's parameters in the order of
    /// [`Model::parameters`], all at the present weights. Running averages move on.
    ///
    /// Nothing is read back from the device.
    fn gradients(&mut self, input: &Input<'_>) -> (Losses, Vec<Tensor>);

    /// Codes of images `[n, K·c, 32, 32]`, as interpolation wants them.
    fn encode(&self, images: &Tensor, draws: &dyn Draws) -> Codes;

    /// Images `[n, K·c, 32, 32]` of latent codes `[n, K·latent, w, w]`.
    fn decode(&self, latents: &Tensor) -> Tensor;

    /// Logits `[K, n, classes]` of what [`Codes::features`] holds.
    fn classify(&self, features: &Tensor) -> Tensor;

    /// Whether codes drawn from N(0, 1) decode to samples.
    fn has_prior(&self) -> bool {
        false
    }

    /// Every network's parameters, in a fixed order.
    fn parameters(&self) -> Vec<&Parameters>;

    /// The same, to change.
    fn parameters_mut(&mut self) -> Vec<&mut Parameters>;

    /// State that is learnt without a gradient: names and tensors `[K, …]`.
    fn averages(&self) -> Vec<(&'static str, &Tensor)> {
        Vec::new()
    }

    /// Some of the members.
    fn pick(&self, pick: Pick<'_>) -> Box<dyn Model>;
}

/// One training step: all gradients at the same weights, then all updates. `t` numbers each member's update from 1.
pub fn step(model: &mut dyn Model, input: &Input<'_>, t: &[u64]) -> Losses {
    let (losses, gradients) = model.gradients(input);
    for (parameters, gradient) in model.parameters_mut().into_iter().zip(&gradients) {
        adam::update(parameters, gradient, t);
    }
    losses
}

/// A view of one member: what it changes changes in the group.
pub fn member(model: &dyn Model, member: usize) -> Box<dyn Model> {
    model.pick(&|tensor| tensor.narrow(0, member as i64, 1))
}

/// The members of both, those of `first` before those of `second`, in a group of their own.
///
/// # Panics
/// If they are not of one shape.
pub fn together(first: &dyn Model, second: &dyn Model) -> Box<dyn Model> {
    let tensors = RefCell::new(VecDeque::new());
    // Models of one shape have the same tensors, which they all show in the same order.
    let _ = second.pick(&|tensor| {
        tensors.borrow_mut().push_back(tensor.shallow_clone());
        tensor.shallow_clone()
    });
    let both = first.pick(&|tensor| {
        let of_second = tensors.borrow_mut().pop_front().expect("models of one shape have the same tensors");
        Tensor::cat(&[tensor, &of_second], 0)
    });
    assert!(tensors.borrow().is_empty(), "models of one shape have the same tensors");
    both
}
