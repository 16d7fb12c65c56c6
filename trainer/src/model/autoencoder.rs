//! What the models have in common.

use tch::Tensor;

use super::Likelihood;
use crate::network::{Architecture, Classifier, Decoder, Encoder, Members, Parameters, Pick, by_member};

/// Encoder f_θ and decoder g_φ, with the classifier that is trained beside them on their latents.
#[derive(Debug)]
pub struct Autoencoder {
    /// From images to latents.
    pub encoder: Encoder,
    /// From latents to images.
    pub decoder: Decoder,
    /// From latents to classes.
    pub classifier: Classifier,
    /// What the decoder's outputs mean.
    pub likelihood: Likelihood,
}

impl Autoencoder {
    /// Initial weights.
    #[must_use]
    pub fn new(sizes: &Architecture, classes: i64, members: &Members) -> Autoencoder {
        Autoencoder {
            encoder: Encoder::new(sizes, members),
            decoder: Decoder::new(sizes, members),
            classifier: Classifier::new(sizes.latent_size(), classes, members),
            likelihood: Likelihood::of(sizes.medium),
        }
    }

    /// Some of the members.
    #[must_use]
    pub fn pick(&self, pick: Pick<'_>) -> Autoencoder {
        let Autoencoder { encoder, decoder, classifier, likelihood } = self;
        Autoencoder {
            encoder: encoder.pick(pick),
            decoder: decoder.pick(pick),
            classifier: classifier.pick(pick),
            likelihood: *likelihood,
        }
    }

    /// How many members: K.
    #[must_use]
    pub fn members(&self) -> i64 {
        self.encoder.parameters().members()
    }

    /// Parameters of encoder, decoder and classifier.
    #[must_use]
    pub fn parameters(&self) -> [&Parameters; 3] {
        [self.encoder.parameters(), self.decoder.parameters(), self.classifier.parameters()]
    }

    /// The same, to change.
    pub fn parameters_mut(&mut self) -> [&mut Parameters; 3] {
        let Autoencoder { encoder, decoder, classifier, .. } = self;
        [encoder.parameters_mut(), decoder.parameters_mut(), classifier.parameters_mut()]
    }

    /// The loss of reconstruction `[K]`: how well the decoder's outputs tell of examples `[n, K·c, 32, 32]`.
    pub(super) fn loss(&self, x: &Tensor, outputs: &Tensor) -> Tensor {
        self.likelihood.loss(x, outputs, self.members())
    }

    /// The examples `[n, K·c, 32, 32]` that the decoder's outputs stand for.
    pub(super) fn examples(&self, outputs: &Tensor) -> Tensor {
        self.likelihood.mean(outputs, self.members())
    }

    /// The examples that latent codes `[n, K·latent, w, w]` stand for.
    pub(super) fn decode(&self, latents: &Tensor) -> Tensor {
        self.examples(&self.decoder.forward(latents))
    }
}

/// The two halves of a batch `[2n, …]`.
pub(super) fn halves(batch: &Tensor) -> [Tensor; 2] {
    let n = batch.size()[0] / 2;
    [batch.narrow(0, 0, n), batch.narrow(0, n, n)]
}

/// Values `[n, K·c, h, w]` times a number for each image and member, `[n, K]`.
pub(super) fn scaled(x: &Tensor, by: &Tensor) -> Tensor {
    let members = by.size()[1];
    (by_member(x, members) * by.view([-1, members, 1, 1, 1])).view_as(x)
}

/// Flat gradients of `losses` (each `[K]`, all summed) with regard to each network's parameters, and to nothing
/// else: no gradient of another network's weights is computed.
pub(super) fn gradients<const N: usize>(losses: &[&Tensor], networks: [&Parameters; N]) -> [Tensor; N] {
    let leaves: Vec<&Tensor> = networks.iter().flat_map(|network| network.leaves()).collect();
    let sums: Vec<Tensor> = losses.iter().map(|loss| loss.sum(None)).collect();
    let all = Tensor::run_backward(&sums, &leaves, false, false);
    let mut rest = all.as_slice();
    networks.map(|network| {
        let (own, others) = rest.split_at(network.leaves().len());
        rest = others;
        network.flatten(own)
    })
}
