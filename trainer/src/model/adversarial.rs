//! The adversarial regularizer of interpolations (paper, section 3), for any autoencoder.

use tch::Tensor;

use super::autoencoder::{halves, scaled};
use crate::network::{Architecture, Critic, Members, Pick, by_member, mean, rows};
use crate::random::{Draws, Purpose};

/// A critic that guesses how much two codes were mixed, and the weights of its part in training.
#[derive(Debug)]
pub struct AdversarialRegularizer {
    /// d_ω.
    pub critic: Critic,
    /// λ `[K]`, weight of the critic's guess in the autoencoder's loss (equation 2).
    pub lambda: Tensor,
    /// γ `[K]`, share of the data in the critic's second input (equation 1).
    pub gamma: Tensor,
}

/// What the critic says of a batch: losses `[K]`, and the gradients that they call for.
#[derive(Debug)]
pub struct Criticism {
    /// What the autoencoder minimises, times λ: ‖d_ω(x̂_α)‖², the second term of equation 2.
    pub loss_ae_disc: Tensor,
    /// ‖d_ω(x̂_α) - α‖², the first term of equation 1.
    pub loss_disc: Tensor,
    /// ‖d_ω(γx + (1-γ)·g_φ(f_θ(x)))‖², the second term of equation 1.
    pub loss_disc_real: Tensor,
    /// Gradient of equation 1 with regard to the critic's parameters, `[K, p]`.
    pub of_critic: Tensor,
    /// Gradient of `loss_ae_disc` with regard to the mixed images, `[n, K·c, 32, 32]`.
    pub of_x_mix: Tensor,
}

impl Criticism {
    /// Its losses, by the authors' names.
    pub(super) fn losses(&self) -> [(&'static str, &Tensor); 3] {
        [
            ("loss_ae_disc", &self.loss_ae_disc),
            ("loss_disc", &self.loss_disc),
            ("loss_disc_real", &self.loss_disc_real),
        ]
    }
}

/// How a batch's codes are mixed.
#[derive(Debug)]
pub struct Interpolated {
    /// α `[n, K]`, in [0, 0.5].
    pub alpha: Tensor,
}

impl Interpolated {
    /// Draws α for `n` images of each member: uniform on [0, 1], folded to the nearer of both ends.
    pub fn draw(n: i64, draws: &dyn Draws) -> Interpolated {
        let alpha = draws.uniform(Purpose::Alpha, n, 1).squeeze_dim(2).tr(); // [n, K]
        Interpolated { alpha: 0.5 - (alpha - 0.5).abs() }
    }

    /// α·z + (1-α)·z', where z' are the batch's codes `[n, K·latent, w, w]` in reverse order.
    pub fn mix(&self, z: &Tensor) -> Tensor {
        let members = self.alpha.size()[1];
        let other = z.flip(0);
        let alpha = self.alpha.view([-1, members, 1, 1, 1]);
        // Not `lerp`: its rounding depends on where in memory a value lies, and so on K.
        &other + (by_member(&(z - &other), members) * alpha).view_as(z)
    }
}

impl AdversarialRegularizer {
    /// An untrained critic; `sizes` has its depth, and each member has a λ and a γ.
    #[must_use]
    pub fn new(
        sizes: &Architecture,
        lambda: &[f64],
        gamma: &[f64],
        members: &Members,
    ) -> AdversarialRegularizer {
        let (lambda, gamma) = (members.scalars(lambda), members.scalars(gamma));
        AdversarialRegularizer { critic: Critic::new(sizes, members), lambda, gamma }
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> AdversarialRegularizer {
        AdversarialRegularizer {
            critic: self.critic.pick(pick),
            lambda: pick(&self.lambda),
            gamma: pick(&self.gamma),
        }
    }

    /// What is to be added to an autoencoder's loss `[K]` so that it has the gradient of λ·`loss_ae_disc`, the
    /// second term of equation 2: λ·⟨x_mix, g⟩ hands the gradient g on as x_mix's own.
    pub fn towards_unmixed(&self, x_mix: &Tensor, criticism: &Criticism) -> Tensor {
        let products = rows(&(x_mix * &criticism.of_x_mix), self.lambda.size()[0]);
        products.sum_dim_intlist([1].as_slice(), false, None) * &self.lambda
    }

    /// The critic's part of a step, for images `x`, their reconstructions and the decoded mixed codes, each
    /// `[n, K·c, 32, 32]`.
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
        // One pass for both: half as many operations, each of twice the size.
        let both = Tensor::cat(&[&x_mix, &self.nearer_to_data(x, &decoded.detach())], 0);
        let [disc_mix, disc_real] = halves(&self.critic.forward(&both)); // each [n, K]
        let mean = |guesses: &Tensor| mean(guesses, self.lambda.size()[0]); // [K]
        let loss_disc_real = mean(&disc_real.square());

        let d = disc_mix.detach();
        let error = &d - &interpolated.alpha;
        let loss_disc = mean(&error.square());
        // No ratio to an error of 0. One that small changes no digit of the critic's gradient.
        let error = error.masked_fill(&error.abs().lt(1e-9), 1e-9);
        // Has the gradient of loss_disc with regard to disc_mix: 2·error/n.
        let towards_alpha = mean(&(&disc_mix * &error)) * 2.0;
        let mut leaves: Vec<&Tensor> = self.critic.parameters().leaves().iter().collect();
        leaves.push(&x_mix);
        let losses = [towards_alpha.sum(None), loss_disc_real.sum(None)];
        let mut gradients = Tensor::run_backward(&losses, &leaves, false, false);
        let of_disc = gradients.pop().expect("one for each leaf, of which x_mix is the last");
        Criticism {
            loss_ae_disc: mean(&d.square()),
            loss_disc,
            loss_disc_real: loss_disc_real.detach(),
            of_critic: self.critic.parameters().flatten(&gradients),
            of_x_mix: scaled(&of_disc, &(&d / &error)),
        }
    }

    /// γx + (1-γ)·decoded, of images `[n, K·c, 32, 32]`.
    fn nearer_to_data(&self, x: &Tensor, decoded: &Tensor) -> Tensor {
        let members = self.gamma.size()[0];
        let gamma = self.gamma.view([1, members, 1, 1, 1]);
        decoded + (by_member(&(x - decoded), members) * gamma).view_as(x)
    }
}
