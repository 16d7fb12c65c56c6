//! The plain autoencoder.

use tch::Tensor;

use super::autoencoder::mse;
use super::{Autoencoder, Input, Losses, Model, gradients};
use crate::network::Parameters;

/// Minimises the reconstruction error ‖x - g_φ(f_θ(x))‖² (paper, section 2).
#[derive(Debug)]
pub struct Baseline {
    /// Its networks.
    pub autoencoder: Autoencoder,
}

impl Model for Baseline {
    fn gradients(&self, input: &Input, _seed: u64, _step: u64) -> (Losses, Vec<Tensor>) {
        let Autoencoder { encoder, decoder, classifier } = &self.autoencoder;
        let x = &input.images;
        let z = encoder.forward(x); // [n, latent, w, w]
        let loss_ae = mse(x, &decoder.forward(&z));
        let loss_classifier = classifier.loss(&z, &input.labels);

        let networks = [&encoder.parameters, &decoder.parameters, &classifier.parameters];
        let flat = gradients(&[&loss_ae, &loss_classifier], networks);
        let losses = Losses::new([("loss_ae", &loss_ae), ("loss_classifier", &loss_classifier)]);
        (losses, flat.into())
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
        vec![&encoder.parameters, &decoder.parameters, &classifier.parameters]
    }

    fn parameters_mut(&mut self) -> Vec<&mut Parameters> {
        let Autoencoder { encoder, decoder, classifier } = &mut self.autoencoder;
        vec![&mut encoder.parameters, &mut decoder.parameters, &mut classifier.parameters]
    }
}
