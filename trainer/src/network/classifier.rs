//! The single-layer classifier of latent codes (paper, section 5.1).

use tch::{Kind, Tensor};

use super::{Dense, Members, Parameters, Pick, flatten};

/// One dense layer on the latents flattened as C, H, W.
#[derive(Debug)]
pub struct Classifier {
    layer: Dense,
}

impl Classifier {
    /// Initial weights, for codes of `size` values.
    #[must_use]
    pub fn new(size: i64, classes: i64, members: &Members) -> Classifier {
        Classifier { layer: Dense::classifier(size, classes, members) }
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> Classifier {
        Classifier { layer: self.layer.pick(pick) }
    }

    /// Logits `[K, n, classes]` of latents `[n, K·latent, w, w]`, through which no gradient flows back.
    pub fn forward(&self, latents: &Tensor) -> Tensor {
        self.layer.apply(0, &flatten(&latents.detach(), self.parameters().members()))
    }

    /// Softmax cross-entropy `[K]`, averaged over the batch, for labels `[K, n]`.
    pub fn loss(&self, latents: &Tensor, labels: &Tensor) -> Tensor {
        let log_probabilities = self.forward(latents).log_softmax(-1, None::<Kind>);
        let of_labels = log_probabilities.gather(2, &labels.unsqueeze(2), false); // [K, n, 1]
        -of_labels.mean_dim([1, 2].as_slice(), false, None)
    }

    /// Parameters `classifier.weight` and `classifier.bias`.
    pub fn parameters(&self) -> &Parameters {
        &self.layer.parameters
    }

    /// The same, to change.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.layer.parameters
    }
}
