//! Autoencoders that only reconstruct: the plain one, and those that must do so from less.

use tch::{Kind, Tensor};

use super::autoencoder::gradients;
use super::{Autoencoder, Codes, Input, Losses, Model};
use crate::network::{Parameters, Pick, by_member, channels_last, flatten, unflatten};
use crate::random::{Draws, Purpose};

/// Minimises the reconstruction error ‖x - g_φ(f_θ(x))‖² (paper, section 2), perhaps with something taken away.
#[derive(Debug)]
pub struct Baseline {
    /// Its networks.
    pub autoencoder: Autoencoder,
    /// What training takes away.
    pub corruption: Corruption,
}

/// What an autoencoder is denied in training, so that it learns more than to copy.
#[derive(Debug)]
pub enum Corruption {
    /// Nothing.
    None,
    /// The encoder sees x + σ·N(0, 1) (Vincent et al. 2010); σ is `[K]`. The classifier learns from clean images' codes.
    Noise(Tensor),
    /// The encoder sees strings of which a share `[K]` of the characters is drawn anew; the classifier as before.
    Replacement(Tensor),
    /// The decoder sees a code without a share `[K]` of its values, the others scaled up to keep the mean
    /// (Srivastava et al. 2014).
    Dropout(Tensor),
}

impl Corruption {
    /// Examples `[n, K·c, 32, 32]` as the encoder sees them.
    fn of_examples(&self, x: &Tensor, draws: &dyn Draws) -> Tensor {
        match self {
            Corruption::Noise(sigma) => noisy(x, sigma, draws),
            Corruption::Replacement(share) => replaced(x, share, draws),
            Corruption::None | Corruption::Dropout(_) => x.shallow_clone(),
        }
    }

    /// Codes `[n, K·latent, w, w]` as the decoder sees them.
    fn of_codes(&self, z: &Tensor, draws: &dyn Draws) -> Tensor {
        let Corruption::Dropout(share) = self else { return z.shallow_clone() };
        let keep: Tensor = 1.0 - share.view([-1, 1, 1]);
        let flat = flatten(z, share.size()[0]); // [K, n, latent·w·w]
        let chance = draws.uniform(Purpose::Dropout, flat.size()[1], flat.size()[2]);
        let dropped = flat.where_self(&chance.lt_tensor(&keep), &flat.zeros_like()) / keep;
        unflatten(&dropped, [z.size()[2], z.size()[3]])
    }

    fn pick(&self, pick: Pick<'_>) -> Corruption {
        match self {
            Corruption::None => Corruption::None,
            Corruption::Noise(sigma) => Corruption::Noise(pick(sigma)),
            Corruption::Replacement(share) => Corruption::Replacement(pick(share)),
            Corruption::Dropout(share) => Corruption::Dropout(pick(share)),
        }
    }
}

/// Images `[n, K·c, 32, 32]` with normal noise of standard deviation `sigma` `[K]`.
fn noisy(x: &Tensor, sigma: &Tensor, draws: &dyn Draws) -> Tensor {
    let members = sigma.size()[0];
    let [n, values] = [x.size()[0], x.numel() as i64 / x.size()[0] / members];
    let noise = unflatten(&draws.normal(Purpose::Noise, n, values), [x.size()[2], x.size()[3]]);
    let scaled = by_member(&noise, members) * sigma.view([1, members, 1, 1, 1]);
    channels_last(&(x + scaled.view_as(&noise)))
}

/// Strings `[n, K·symbols, 1, 32]` with each character replaced, at a chance of `share` `[K]`, by one of all symbols.
fn replaced(x: &Tensor, share: &Tensor, draws: &dyn Draws) -> Tensor {
    let members = share.size()[0];
    let (n, channels, _, width) = x.size4().expect("strings have four dimensions");
    let symbols = channels / members;
    let drawn = draws.uniform(Purpose::Noise, n, 2 * width); // [K, n, 2·32]: whether, and by what
    let is_replaced = drawn.narrow(2, 0, width).lt_tensor(&share.view([-1, 1, 1])).unsqueeze(3);
    let by = (drawn.narrow(2, width, width) * symbols as f64).to_kind(Kind::Int64).clamp_max(symbols - 1);
    let by = by.one_hot(symbols).to_kind(x.kind()) * (symbols as f64).sqrt(); // [K, n, 32, symbols]
    let strings = by_member(x, members).squeeze_dim(3).permute([1, 0, 3, 2]);
    let strings = by.where_self(&is_replaced, &strings);
    strings.permute([1, 2, 0, 3]).reshape([n, 1, width, channels]).permute([0, 3, 1, 2])
}

impl Model for Baseline {
    fn gradients(&mut self, input: &Input<'_>) -> (Losses, Vec<Tensor>) {
        let Autoencoder { encoder, decoder, classifier, .. } = &self.autoencoder;
        let x = &input.images;
        let z = encoder.forward(&self.corruption.of_examples(x, input.draws)); // [n, K·latent, w, w]
        let decoded = decoder.forward(&self.corruption.of_codes(&z, input.draws));
        let loss_ae = self.autoencoder.loss(x, &decoded);
        let features = match self.corruption {
            Corruption::Noise(_) | Corruption::Replacement(_) => {
                let _guard = tch::no_grad_guard();
                encoder.forward(x)
            }
            Corruption::None | Corruption::Dropout(_) => z,
        };
        let loss_classifier = classifier.loss(&features, &input.labels);

        let flat = gradients(&[&loss_ae, &loss_classifier], self.autoencoder.parameters());
        let losses = Losses::new([("loss_ae", &loss_ae), ("loss_classifier", &loss_classifier)]);
        (losses, flat.into())
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
        self.autoencoder.parameters().into()
    }

    fn parameters_mut(&mut self) -> Vec<&mut Parameters> {
        self.autoencoder.parameters_mut().into()
    }

    fn pick(&self, pick: Pick<'_>) -> Box<dyn Model> {
        Box::new(Baseline {
            autoencoder: self.autoencoder.pick(pick),
            corruption: self.corruption.pick(pick),
        })
    }
}
