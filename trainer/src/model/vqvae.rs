//! The vector-quantised autoencoder.

use tch::Tensor;

use super::autoencoder::gradients;
use super::{Autoencoder, Codes, Input, Losses, Model};
use crate::network::{Codebook, Dense, Members, Parameters, Pick, flatten, unflatten};
use crate::random::Draws;

/// Values between the vectors and the decoder's input.
const HIDDEN: i64 = 512;

/// An autoencoder whose code is some vectors out of a codebook (van den Oord et al. 2017; the authors' arrangement).
///
/// The encoder's output of H values becomes a few vectors of width H, each is rounded to the nearest in the
/// codebook, and two dense layers make H values of them again, which the decoder takes.
#[derive(Debug)]
pub struct VqVae {
    /// Its networks; the classifier sees the decoder's input.
    pub autoencoder: Autoencoder,
    /// Dense layers before the quantiser (0) and behind it (1, 2).
    pub around: Dense,
    /// What vectors are rounded to.
    pub codebook: Codebook,
    /// β `[K]`, weight of the commitment loss.
    pub beta: Tensor,
    latent_extent: [i64; 2],
}

/// Vectors, and what they were rounded to; each `[K, n·vectors, h]` but `codes` `[K, n·vectors]`.
struct Quantised {
    vectors: Tensor,
    codes: Tensor,
    nearest: Tensor,
}

impl VqVae {
    /// Untrained, with a β for each member; `sizes` are codes in the book and vectors an image.
    #[must_use]
    pub fn new(
        autoencoder: Autoencoder,
        (latent_size, latent_extent): (i64, [i64; 2]),
        (codes, vectors): (i64, i64),
        beta: &[f64],
        members: &Members,
    ) -> VqVae {
        VqVae {
            autoencoder,
            around: Dense::around_vectors(latent_size, vectors, HIDDEN, members),
            codebook: Codebook::new(codes, latent_size, members),
            beta: members.scalars(beta),
            latent_extent,
        }
    }

    /// Quantises codes `[n, K·latent, w, w]`.
    fn quantise(&self, z: &Tensor) -> Quantised {
        let h = flatten(z, self.autoencoder.members()); // [K, n, h]
        let (members, _, width) = h.size3().expect("members, images, values");
        let vectors = self.around.apply(0, &h).view([members, -1, width]);
        let codes = self.codebook.nearest(&vectors);
        let nearest = self.codebook.look_up(&codes);
        Quantised { vectors, codes, nearest }
    }

    /// The decoder's input `[n, K·latent, w, w]` of `n` images' vectors `[K, n·vectors, h]`.
    fn input_of_decoder(&self, vectors: &Tensor, n: i64) -> Tensor {
        let flat = vectors.reshape([vectors.size()[0], n, -1]).relu();
        unflatten(&self.around.apply(2, &self.around.apply(1, &flat).relu()), self.latent_extent)
    }
}

impl Model for VqVae {
    fn gradients(&mut self, input: &Input<'_>) -> (Losses, Vec<Tensor>) {
        let Autoencoder { encoder, decoder, classifier, .. } = &self.autoencoder;
        let x = &input.images;
        let members = self.autoencoder.members();
        let Quantised { vectors, codes, nearest } = self.quantise(&encoder.forward(x));
        // Straight through: the value of the nearest vector, the gradient of the vector itself.
        let through = &vectors + (&nearest - &vectors).detach();
        let features = self.input_of_decoder(&through, x.size()[0]);

        let loss_ae = self.autoencoder.loss(x, &decoder.forward(&features));
        let error = (&vectors - &nearest).square();
        let loss_commitment = error.mean_dim([1, 2].as_slice(), false, None);
        let loss_classifier = classifier.loss(&features, &input.labels);
        debug_assert_eq!(loss_commitment.size(), [members]);

        let minimised = &loss_ae + &self.beta * &loss_commitment;
        let own = self.autoencoder.parameters();
        let networks = [own[0], own[1], own[2], &self.around.parameters];
        let flat = gradients(&[&minimised, &loss_classifier], networks);
        let losses = Losses::new([
            ("loss_ae", &loss_ae),
            ("loss_commitment", &loss_commitment),
            ("loss_classifier", &loss_classifier),
        ]);
        let _guard = tch::no_grad_guard();
        self.codebook.learn(&vectors, &codes);
        (losses, flat.into())
    }

    /// Codes before they are quantised, as the authors interpolate them; [`Model::decode`] quantises.
    fn encode(&self, images: &Tensor, _draws: &dyn Draws) -> Codes {
        let latents = self.autoencoder.encoder.forward(images);
        let features = self.input_of_decoder(&self.quantise(&latents).nearest, images.size()[0]);
        Codes { latents, features }
    }

    fn decode(&self, latents: &Tensor) -> Tensor {
        let nearest = self.quantise(latents).nearest;
        self.autoencoder.decode(&self.input_of_decoder(&nearest, latents.size()[0]))
    }

    fn classify(&self, features: &Tensor) -> Tensor {
        self.autoencoder.classifier.forward(features)
    }

    fn parameters(&self) -> Vec<&Parameters> {
        self.autoencoder.parameters().into_iter().chain([&self.around.parameters]).collect()
    }

    fn parameters_mut(&mut self) -> Vec<&mut Parameters> {
        self.autoencoder.parameters_mut().into_iter().chain([&mut self.around.parameters]).collect()
    }

    fn averages(&self) -> Vec<(&'static str, &Tensor)> {
        self.codebook.named().into()
    }

    fn pick(&self, pick: Pick<'_>) -> Box<dyn Model> {
        Box::new(VqVae {
            autoencoder: self.autoencoder.pick(pick),
            around: self.around.pick(pick),
            codebook: self.codebook.pick(pick),
            beta: pick(&self.beta),
            latent_extent: self.latent_extent,
        })
    }
}
