//! Adversarially Constrained Autoencoder Interpolation.

use tch::Tensor;

use super::autoencoder::mse;
use super::{AdversarialRegularizer, Autoencoder, Input, Interpolated, Losses, Model, gradients};
use crate::network::Parameters;

/// An autoencoder whose interpolations a critic should find unmixed (Berthelot et al. 2018).
#[derive(Debug)]
pub struct Acai {
    /// Its networks.
    pub autoencoder: Autoencoder,
    /// Its critic.
    pub regularizer: AdversarialRegularizer,
}

impl Acai {
    /// [`Model::gradients`] for given α.
    pub fn gradients_at(&self, input: &Input, interpolated: &Interpolated) -> (Losses, Vec<Tensor>) {
        let Autoencoder { encoder, decoder, classifier } = &self.autoencoder;
        let x = &input.images;
        let z = encoder.forward(x); // [n, latent, w, w]
        let both = Tensor::cat(&[&z, &interpolated.mix(&z)], 0); // [2n, latent, w, w]
        let [decoded, x_mix] = halves(&decoder.forward(&both)); // each [n, c, 32, 32]

        let loss_ae = mse(x, &decoded);
        let loss_classifier = classifier.loss(&z, &input.labels);
        // Equation 1: the critic's losses and gradient.
        let critics = self.regularizer.criticise(x, &decoded, &x_mix, interpolated);
        // Equation 2, at the same weights. ⟨x_mix, g⟩ hands the gradient g on as x_mix's own.
        let through_x_mix = (&x_mix * &critics.of_x_mix).sum(None);
        let equation_2 = &loss_ae + self.regularizer.lambda * through_x_mix;
        let [of_encoder, of_decoder, of_classifier] = gradients(
            &[&equation_2, &loss_classifier],
            [&encoder.parameters, &decoder.parameters, &classifier.parameters],
        );
        let losses = Losses::new([
            ("loss_ae", &loss_ae),
            ("loss_ae_disc", &critics.loss_ae_disc),
            ("loss_disc", &critics.loss_disc),
            ("loss_disc_real", &critics.loss_disc_real),
            ("loss_classifier", &loss_classifier),
        ]);
        (losses, vec![of_encoder, of_decoder, of_classifier, critics.of_critic])
    }
}

impl Model for Acai {
    fn gradients(&self, input: &Input, seed: u64, step: u64) -> (Losses, Vec<Tensor>) {
        let n = input.images.size()[0];
        let options = (input.images.kind(), input.images.device());
        self.gradients_at(input, &Interpolated::draw(n, seed, step, options))
    }

    fn encode(&self, images: &Tensor) -> Tensor {
        self.autoencoder.encoder.forward(images)
    }

    fn decode(&self, latents: &Tensor) -> Tensor {
        self.autoencoder.decoder.forward(latents)
    }

    fn classify(&self, latents: &Tensor) -> Tensor {
        self.autoencoder.classifier.forward(latents)
    }

    fn parameters(&self) -> Vec<&Parameters> {
        let Autoencoder { encoder, decoder, classifier } = &self.autoencoder;
        let critic = self.regularizer.critic.parameters();
        vec![&encoder.parameters, &decoder.parameters, &classifier.parameters, critic]
    }

    fn parameters_mut(&mut self) -> Vec<&mut Parameters> {
        let Autoencoder { encoder, decoder, classifier } = &mut self.autoencoder;
        let critic = self.regularizer.critic.parameters_mut();
        vec![&mut encoder.parameters, &mut decoder.parameters, &mut classifier.parameters, critic]
    }
}

/// The two halves of a batch `[2n, …]`.
fn halves(batch: &Tensor) -> [Tensor; 2] {
    let n = batch.size()[0] / 2;
    [batch.narrow(0, 0, n), batch.narrow(0, n, n)]
}
