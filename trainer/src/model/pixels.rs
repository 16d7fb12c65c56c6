//! The single-layer classifier on raw pixels, which latent codes have to beat (paper, section 5.1).

use tch::Tensor;

use super::autoencoder::gradients;
use super::{Codes, Input, Losses, Model};
use crate::network::{Classifier, Parameters, Pick};
use crate::random::Draws;

/// No autoencoder: an image is its own code. Its interpolations are cross-fades.
#[derive(Debug)]
pub struct Pixels {
    /// From pixels to classes.
    pub classifier: Classifier,
}

impl Model for Pixels {
    fn gradients(&mut self, input: &Input<'_>) -> (Losses, Vec<Tensor>) {
        let loss_classifier = self.classifier.loss(&input.images, &input.labels);
        let flat = gradients(&[&loss_classifier], [self.classifier.parameters()]);
        (Losses::new([("loss_classifier", &loss_classifier)]), flat.into())
    }

    fn encode(&self, images: &Tensor, _draws: &dyn Draws) -> Codes {
        Codes::same(images.shallow_clone())
    }

    fn decode(&self, latents: &Tensor) -> Tensor {
        latents.shallow_clone()
    }

    fn classify(&self, features: &Tensor) -> Tensor {
        self.classifier.forward(features)
    }

    fn parameters(&self) -> Vec<&Parameters> {
        vec![self.classifier.parameters()]
    }

    fn parameters_mut(&mut self) -> Vec<&mut Parameters> {
        vec![self.classifier.parameters_mut()]
    }

    fn pick(&self, pick: Pick<'_>) -> Box<dyn Model> {
        Box::new(Pixels { classifier: self.classifier.pick(pick) })
    }
}
