//! The adversarial autoencoder.

use tch::{Reduction, Tensor};

use super::autoencoder::gradients;
use super::{Autoencoder, Codes, Input, Losses, Model};
use crate::network::{Dense, Members, Parameters, Pick, flatten, leaky_relu};
use crate::random::{Draws, Purpose};

/// Width of the discriminator's two hidden layers.
const HIDDEN: i64 = 100;

/// An autoencoder whose codes a discriminator should take for draws from N(0, 1) (Makhzani et al. 2015).
#[derive(Debug)]
pub struct Aae {
    /// Its networks.
    pub autoencoder: Autoencoder,
    /// From codes to the logit of "drawn from the prior".
    pub discriminator: Dense,
}

impl Aae {
    /// Untrained; `members` have the step sizes of the discriminator.
    #[must_use]
    pub fn new(autoencoder: Autoencoder, latent_size: i64, members: &Members) -> Aae {
        Aae { autoencoder, discriminator: Dense::discriminator(latent_size, HIDDEN, members) }
    }

    /// Logits `[K, n, 1]` of codes `[K, n, d]`.
    fn discriminate(&self, codes: &Tensor) -> Tensor {
        let x = leaky_relu(self.discriminator.apply(0, codes));
        let x = leaky_relu(self.discriminator.apply(1, &x));
        self.discriminator.apply(2, &x)
    }
}

impl Model for Aae {
    fn gradients(&mut self, input: &Input<'_>) -> (Losses, Vec<Tensor>) {
        let Autoencoder { encoder, decoder, classifier, .. } = &self.autoencoder;
        let x = &input.images;
        let z = encoder.forward(x); // [n, K·latent, w, w]
        let codes = flatten(&z, self.autoencoder.members()); // [K, n, d]
        let (n, d) = (codes.size()[1], codes.size()[2]);

        let loss_ae = self.autoencoder.loss(x, &decoder.forward(&z));
        let loss_ae_disc = logistic(&self.discriminate(&codes), 1.0);
        let loss_classifier = classifier.loss(&z, &input.labels);
        let loss_disc = logistic(&self.discriminate(&codes.detach()), 0.0);
        let loss_disc_real = logistic(&self.discriminate(&input.draws.normal(Purpose::Prior, n, d)), 1.0);

        let minimised = &loss_ae + &loss_ae_disc;
        let flat = gradients(&[&minimised, &loss_classifier], self.autoencoder.parameters());
        let adversary = [&self.discriminator.parameters];
        let [of_discriminator] = gradients(&[&loss_disc, &loss_disc_real], adversary);
        let losses = Losses::new([
            ("loss_ae", &loss_ae),
            ("loss_ae_disc", &loss_ae_disc),
            ("loss_disc", &loss_disc),
            ("loss_disc_real", &loss_disc_real),
            ("loss_classifier", &loss_classifier),
        ]);
        (losses, flat.into_iter().chain([of_discriminator]).collect())
    }

    fn encode(&self, images: &Tensor, _draws: &dyn Draws) -> Codes {
        Codes::same(self.autoencoder.encoder.forward(images))
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
        self.autoencoder.parameters().into_iter().chain([&self.discriminator.parameters]).collect()
    }

    fn parameters_mut(&mut self) -> Vec<&mut Parameters> {
        self.autoencoder.parameters_mut().into_iter().chain([&mut self.discriminator.parameters]).collect()
    }

    fn pick(&self, pick: Pick<'_>) -> Box<dyn Model> {
        let (autoencoder, discriminator) = (self.autoencoder.pick(pick), self.discriminator.pick(pick));
        Box::new(Aae { autoencoder, discriminator })
    }
}

/// Logistic loss `[K]` of logits `[K, n, 1]` that should say `target`, averaged over the batch.
fn logistic(logits: &Tensor, target: f64) -> Tensor {
    let none = None::<&Tensor>;
    let each =
        logits.binary_cross_entropy_with_logits(&logits.full_like(target), none, none, Reduction::None);
    each.mean_dim([1, 2].as_slice(), false, None)
}
