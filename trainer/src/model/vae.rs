//! The variational autoencoder, alone and with ACAI's regularizer.

use tch::Tensor;

use super::autoencoder::{gradients, halves};
use super::{AdversarialRegularizer, Autoencoder, Codes, Input, Interpolated, Losses, Model};
use crate::network::{Dense, Members, Parameters, Pick, flatten, unflatten};
use crate::random::{Draws, Purpose};

/// A variational autoencoder (Kingma and Welling 2014) of images seen as (x+1)/2 in [0, 1], with a Bernoulli
/// likelihood, or of strings with a categorical one; the KL term weighs β (Higgins et al. 2017).
///
/// `acai_vae` interpolates posterior means. With a regularizer, which it has unless λ is 0, a critic judges images
/// decoded from mixed posterior means, and what it says is added to the bound as equation 2 adds it to the squared error.
#[derive(Debug)]
pub struct Vae {
    /// Encoder, decoder of logits, classifier of the encoder's output.
    pub autoencoder: Autoencoder,
    /// From the encoder's output h to μ (layer 0) and log σ² (layer 1).
    pub posterior: Dense,
    /// β `[K]`.
    pub beta: Tensor,
    /// ACAI's critic.
    pub regularizer: Option<AdversarialRegularizer>,
    /// What images are encoded as.
    pub encodes: Encodes,
    latent_extent: [i64; 2],
}

/// The code that stands for an image when it is interpolated, scored and clustered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encodes {
    /// A draw from the posterior, as the authors' VAE does.
    Draws,
    /// The posterior's mean.
    Means,
}

/// The normal distribution of codes that an image stands for; each part `[K, n, d]`.
struct Posterior {
    mean: Tensor,
    log_variance: Tensor,
}

impl Posterior {
    /// μ + σ·ε.
    fn sample(&self, epsilon: &Tensor) -> Tensor {
        &self.mean + (&self.log_variance * 0.5).exp() * epsilon
    }

    /// KL divergence from N(0, 1), summed over a code, averaged over the batch: `[K]`.
    fn divergence(&self) -> Tensor {
        let parts = self.mean.square() + self.log_variance.exp() - &self.log_variance - 1.0;
        parts.sum_dim_intlist([2].as_slice(), false, None).mean_dim([1].as_slice(), false, None) * 0.5
    }
}

impl Vae {
    /// Untrained, with a β for each member; `latent_extent` is height and width of the code.
    #[must_use]
    pub fn new(
        autoencoder: Autoencoder,
        (latent_size, latent_extent): (i64, [i64; 2]),
        beta: &[f64],
        (regularizer, encodes): (Option<AdversarialRegularizer>, Encodes),
        members: &Members,
    ) -> Vae {
        let posterior = Dense::posterior(latent_size, members);
        Vae { autoencoder, posterior, beta: members.scalars(beta), regularizer, encodes, latent_extent }
    }

    /// Of the encoder's output h `[n, K·latent, w, w]`.
    fn posterior(&self, h: &Tensor) -> Posterior {
        let flat = flatten(h, self.autoencoder.members());
        Posterior { mean: self.posterior.apply(0, &flat), log_variance: self.posterior.apply(1, &flat) }
    }

    fn code(&self, flat: &Tensor) -> Tensor {
        unflatten(flat, self.latent_extent)
    }
}

impl Model for Vae {
    fn gradients(&mut self, input: &Input<'_>) -> (Losses, Vec<Tensor>) {
        let Autoencoder { encoder, decoder, classifier, .. } = &self.autoencoder;
        let x = &input.images;
        let h = encoder.forward(x); // [n, K·latent, w, w]
        let posterior = self.posterior(&h);
        let (n, d) = (posterior.mean.size()[1], posterior.mean.size()[2]);
        let z = self.code(&posterior.sample(&input.draws.normal(Purpose::Posterior, n, d)));
        let loss_classifier = classifier.loss(&h, &input.labels);

        let mix = self.regularizer.as_ref().map(|regularizer| {
            let interpolated = Interpolated::draw(n, input.draws);
            let mixed = interpolated.mix(&self.code(&posterior.mean));
            (regularizer, interpolated, mixed)
        });
        let (logits, criticised) = match mix {
            None => (decoder.forward(&z), None),
            Some((regularizer, interpolated, mixed)) => {
                let [logits, of_mixed] = halves(&decoder.forward(&Tensor::cat(&[&z, &mixed], 0)));
                let [decoded, x_mix] = [&logits, &of_mixed].map(|logits| self.autoencoder.examples(logits));
                let critics = regularizer.criticise(x, &decoded, &x_mix, &interpolated);
                (logits, Some((regularizer.towards_unmixed(&x_mix, &critics), critics)))
            }
        };
        let Autoencoder { likelihood, .. } = self.autoencoder;
        let loss_likelihood = likelihood.surprise(x, &logits, self.autoencoder.members());
        let loss_kl = posterior.divergence();
        let loss_ae = &loss_likelihood + &self.beta * &loss_kl;
        let own = self.autoencoder.parameters();
        let networks = [own[0], own[1], own[2], &self.posterior.parameters];
        let losses = Losses::new([
            ("loss_ae", &loss_ae),
            ("loss_likelihood", &loss_likelihood),
            ("loss_kl", &loss_kl),
            ("loss_classifier", &loss_classifier),
        ]);
        match criticised {
            None => (losses, gradients(&[&loss_ae, &loss_classifier], networks).into()),
            Some((towards_unmixed, critics)) => {
                let flat = gradients(&[&(&loss_ae + towards_unmixed), &loss_classifier], networks);
                (losses.and(critics.losses()), flat.into_iter().chain([critics.of_critic]).collect())
            }
        }
    }

    fn encode(&self, images: &Tensor, draws: &dyn Draws) -> Codes {
        let features = self.autoencoder.encoder.forward(images);
        let posterior = self.posterior(&features);
        let (n, d) = (posterior.mean.size()[1], posterior.mean.size()[2]);
        let flat = match self.encodes {
            Encodes::Draws => posterior.sample(&draws.normal(Purpose::Posterior, n, d)),
            Encodes::Means => posterior.mean,
        };
        Codes { latents: self.code(&flat), features }
    }

    fn decode(&self, latents: &Tensor) -> Tensor {
        self.autoencoder.decode(latents)
    }

    fn classify(&self, features: &Tensor) -> Tensor {
        self.autoencoder.classifier.forward(features)
    }

    fn has_prior(&self) -> bool {
        true
    }

    fn parameters(&self) -> Vec<&Parameters> {
        let own = self.autoencoder.parameters().into_iter();
        let critic = self.regularizer.iter().map(|regularizer| regularizer.critic.parameters());
        own.chain([&self.posterior.parameters]).chain(critic).collect()
    }

    fn parameters_mut(&mut self) -> Vec<&mut Parameters> {
        let own = self.autoencoder.parameters_mut().into_iter();
        let critic = self.regularizer.iter_mut().map(|regularizer| regularizer.critic.parameters_mut());
        own.chain([&mut self.posterior.parameters]).chain(critic).collect()
    }

    fn pick(&self, pick: Pick<'_>) -> Box<dyn Model> {
        Box::new(Vae {
            autoencoder: self.autoencoder.pick(pick),
            posterior: self.posterior.pick(pick),
            beta: pick(&self.beta),
            regularizer: self.regularizer.as_ref().map(|regularizer| regularizer.pick(pick)),
            encodes: self.encodes,
            latent_extent: self.latent_extent,
        })
    }
}
