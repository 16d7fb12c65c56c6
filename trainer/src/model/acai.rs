//! Adversarially Constrained Autoencoder Interpolation.

use tch::Tensor;

use super::autoencoder::{gradients, halves};
use super::{AdversarialRegularizer, Autoencoder, Codes, Input, Interpolated, Losses, Model};
use crate::network::{Parameters, Pick};
use crate::random::Draws;

/// An autoencoder whose interpolations a critic should find unmixed (Berthelot et al. 2018).
#[derive(Debug)]
pub struct Acai {
    /// Its networks.
    pub autoencoder: Autoencoder,
    /// Its critic.
    pub regularizer: AdversarialRegularizer,
}

impl Model for Acai {
    fn gradients(&mut self, input: &Input<'_>) -> (Losses, Vec<Tensor>) {
        let Autoencoder { encoder, decoder, classifier, .. } = &self.autoencoder;
        let x = &input.images;
        let interpolated = Interpolated::draw(x.size()[0], input.draws);
        let z = encoder.forward(x); // [n, K·latent, w, w]
        let both = Tensor::cat(&[&z, &interpolated.mix(&z)], 0); // [2n, K·latent, w, w]
        let [outputs, of_mix] = halves(&decoder.forward(&both)); // each [n, K·c, 32, 32]
        let [decoded, x_mix] = [&outputs, &of_mix].map(|outputs| self.autoencoder.examples(outputs));

        let loss_ae = self.autoencoder.loss(x, &outputs);
        let loss_classifier = classifier.loss(&z, &input.labels);
        // Equation 1: the critic's losses and gradient.
        let critics = self.regularizer.criticise(x, &decoded, &x_mix, &interpolated);
        // Equation 2, at the same weights.
        let equation_2 = &loss_ae + self.regularizer.towards_unmixed(&x_mix, &critics);
        let flat = gradients(&[&equation_2, &loss_classifier], self.autoencoder.parameters());
        let losses = Losses::new([("loss_ae", &loss_ae), ("loss_classifier", &loss_classifier)]);
        (losses.and(critics.losses()), flat.into_iter().chain([critics.of_critic]).collect())
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

    fn parameters(&self) -> Vec<&Parameters> {
        let own = self.autoencoder.parameters().into_iter();
        own.chain([self.regularizer.critic.parameters()]).collect()
    }

    fn parameters_mut(&mut self) -> Vec<&mut Parameters> {
        let own = self.autoencoder.parameters_mut().into_iter();
        own.chain([self.regularizer.critic.parameters_mut()]).collect()
    }

    fn pick(&self, pick: Pick<'_>) -> Box<dyn Model> {
        let (autoencoder, regularizer) = (self.autoencoder.pick(pick), self.regularizer.pick(pick));
        Box::new(Acai { autoencoder, regularizer })
    }
}
