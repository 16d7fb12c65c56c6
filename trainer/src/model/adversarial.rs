//! The adversarial regularizer of interpolations (paper, section 3), for any autoencoder.

use rand_distr::{Distribution, Uniform};
use tch::{Device, Kind, Tensor};

use super::autoencoder::mse;
use crate::network::{Architecture, Critic};
use crate::random::{Purpose, stream};

/// A critic that guesses how much two codes were mixed, and the weights of its part in training.
#[derive(Debug)]
pub struct AdversarialRegularizer {
    /// d_ω.
    pub critic: Critic,
    /// λ, weight of the critic's guess in the autoencoder's loss (equation 2).
    pub lambda: f64,
    /// γ, share of the data in the critic's second input (equation 1).
    pub gamma: f64,
}

/// The regularizer's losses for a batch, scalars.
#[derive(Debug)]
pub struct AdversarialLosses {
    /// What the autoencoder minimises, times λ: ‖d_ω(x̂_α)‖², the second term of equation 2.
    pub loss_ae_disc: Tensor,
    /// ‖d_ω(x̂_α) - α‖², the first term of equation 1.
    pub loss_disc: Tensor,
    /// ‖d_ω(γx + (1-γ)·g_φ(f_θ(x)))‖², the second term of equation 1.
    pub loss_disc_real: Tensor,
}

/// How a batch's codes are mixed.
#[derive(Debug)]
pub struct Interpolated {
    /// α `[n]`, in [0, 0.5].
    pub alpha: Tensor,
}

impl Interpolated {
    /// Draws α for `n` images: uniform on [0, 1], folded to the nearer of both ends.
    pub fn draw(n: i64, seed: u64, step: u64, options: (Kind, Device)) -> Interpolated {
        let uniform = Uniform::new(0.0, 1.0).expect("0 is below 1");
        let alpha: Vec<f64> = uniform
            .sample_iter(stream(seed, Purpose::Alpha, step))
            .take(n as usize)
            .map(|alpha: f64| 0.5 - (alpha - 0.5).abs())
            .collect();
        let (kind, device) = options;
        Interpolated { alpha: Tensor::from_slice(&alpha).to_kind(kind).to_device(device) }
    }

    /// α·z + (1-α)·z', where z' are the batch's codes `[n, latent, w, w]` in reverse order.
    pub fn mix(&self, z: &Tensor) -> Tensor {
        z.flip(0).lerp_tensor(z, &self.alpha.view([-1, 1, 1, 1]))
    }
}

impl AdversarialRegularizer {
    /// An untrained critic of the run seeded with `seed`; `sizes` has the critic's depth.
    pub fn new(
        sizes: &Architecture,
        lambda: f64,
        gamma: f64,
        seed: u64,
        options: (Kind, Device),
    ) -> AdversarialRegularizer {
        AdversarialRegularizer { critic: Critic::new(sizes, seed, options), lambda, gamma }
    }

    /// Losses for images `x`, their reconstructions and the decoded mixed codes, each `[n, c, 32, 32]`.
    ///
    /// Gradients flow to the critic and, through `x_mix` alone, to the autoencoder.
    pub fn losses(
        &self,
        x: &Tensor,
        decoded: &Tensor,
        x_mix: &Tensor,
        interpolated: &Interpolated,
    ) -> AdversarialLosses {
        let disc_mix = self.critic.forward(x_mix); // [n]
        let x_gamma = decoded.detach().lerp(x, self.gamma); // γx + (1-γ)·decoded
        let disc_real = self.critic.forward(&x_gamma); // [n]
        AdversarialLosses {
            loss_ae_disc: disc_mix.square().mean(None),
            loss_disc: mse(&interpolated.alpha, &disc_mix),
            loss_disc_real: disc_real.square().mean(None),
        }
    }
}
