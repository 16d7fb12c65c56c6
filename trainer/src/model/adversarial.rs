//! The adversarial regularizer of interpolations (paper, section 3), for any autoencoder.

use rand_distr::{Distribution, Uniform};
use tch::{Device, Kind, Tensor};

use super::autoencoder::mse;
use crate::network::{Architecture, Critic, channels_last};
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

/// What the critic says of a batch: losses (scalars), and the gradients that they call for.
#[derive(Debug)]
pub struct Criticism {
    /// What the autoencoder minimises, times λ: ‖d_ω(x̂_α)‖², the second term of equation 2.
    pub loss_ae_disc: Tensor,
    /// ‖d_ω(x̂_α) - α‖², the first term of equation 1.
    pub loss_disc: Tensor,
    /// ‖d_ω(γx + (1-γ)·g_φ(f_θ(x)))‖², the second term of equation 1.
    pub loss_disc_real: Tensor,
    /// Gradient of equation 1 with regard to the critic's parameters, `[p]`.
    pub of_critic: Tensor,
    /// Gradient of `loss_ae_disc` with regard to the mixed images, `[n, c, 32, 32]`.
    pub of_x_mix: Tensor,
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

    /// The critic's part of a step, for images `x`, their reconstructions and the decoded mixed codes, each
    /// `[n, c, 32, 32]`.
    ///
    /// Both losses on the mixed images need the way back through the critic, but one suffices: each image
    /// enters them only through its own d_i = d_ω(x̂_i), so its gradients in the two are in the ratio of
    /// ∂(d_i²)/∂d_i to ∂(d_i - α_i)²/∂d_i, that is, of d_i to d_i - α_i.
    pub fn criticise(
        &self,
        x: &Tensor,
        decoded: &Tensor,
        x_mix: &Tensor,
        interpolated: &Interpolated,
    ) -> Criticism {
        let x_mix = x_mix.detach().set_requires_grad(true);
        let disc_mix = self.critic.forward(&x_mix); // [n]
        let x_gamma = channels_last(&decoded.detach().lerp(x, self.gamma)); // γx + (1-γ)·decoded
        let disc_real = self.critic.forward(&x_gamma); // [n]
        let loss_disc_real = disc_real.square().mean(None);

        let d = disc_mix.detach();
        let error = &d - &interpolated.alpha;
        // No ratio to an error of 0. One that small changes no digit of the critic's gradient.
        let error = error.masked_fill(&error.abs().lt(1e-9), 1e-9);
        // Has the gradient of loss_disc with regard to disc_mix: 2·error/n.
        let towards_alpha = (&disc_mix * &error).mean(None) * 2.0;
        let mut leaves: Vec<&Tensor> = self.critic.parameters().leaves().iter().collect();
        leaves.push(&x_mix);
        let mut gradients = Tensor::run_backward(&[&towards_alpha, &loss_disc_real], &leaves, false, false);
        let of_disc = gradients.pop().expect("one for each leaf, of which x_mix is the last");
        Criticism {
            loss_ae_disc: d.square().mean(None),
            loss_disc: mse(&interpolated.alpha, &d),
            loss_disc_real: loss_disc_real.detach(),
            of_critic: self.critic.parameters().flatten(&gradients),
            of_x_mix: of_disc * (&d / &error).view([-1, 1, 1, 1]),
        }
    }
}
