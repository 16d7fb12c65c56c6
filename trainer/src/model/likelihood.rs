//! What decoders' outputs say of examples, and how well.

use tch::{Reduction, Tensor};

use crate::medium::Medium;
use crate::network::{flatten, mean};

/// The distribution of examples that the outputs `[n, K·c, h, w]` of a decoder stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likelihood {
    /// The output is the image, and errors are squared (paper, section 2).
    Normal,
    /// Logits of pixels, seen as (x+1)/2 in [0, 1].
    Bernoulli,
    /// Logits of the symbols at each place of a string.
    Categorical,
}

impl Likelihood {
    /// That of autoencoders.
    #[must_use]
    pub fn of(medium: Medium) -> Likelihood {
        if medium.is_strings() { Likelihood::Categorical } else { Likelihood::Normal }
    }

    /// That of variational autoencoders, whose loss is a bound of it.
    #[must_use]
    pub fn of_bound(medium: Medium) -> Likelihood {
        if medium.is_strings() { Likelihood::Categorical } else { Likelihood::Bernoulli }
    }

    /// The mean of the distribution, as examples are `[n, K·c, h, w]`: what is shown, scored and criticised.
    pub fn mean(self, outputs: &Tensor, members: i64) -> Tensor {
        match self {
            Likelihood::Normal => outputs.shallow_clone(),
            Likelihood::Bernoulli => outputs.sigmoid() * 2.0 - 1.0,
            Likelihood::Categorical => {
                let logits = by_place(outputs, members);
                let scale = root_of_symbols(&logits);
                by_channel(&(logits.softmax(-1, None) * scale), outputs)
            }
        }
    }

    /// What an autoencoder minimises, `[K]`: the squared error of a pixel, or -log p of a character, in nats; averaged over all.
    pub fn loss(self, x: &Tensor, outputs: &Tensor, members: i64) -> Tensor {
        match self {
            Likelihood::Normal => mean(&(outputs - x).square(), members),
            Likelihood::Bernoulli => self.surprise(x, outputs, members),
            Likelihood::Categorical => self.surprise(x, outputs, members) / x.size()[3] as f64,
        }
    }

    /// -log p of an example in nats, averaged over the batch: `[K]`. Of a normal distribution, whose variance is ½ here, up to
    /// a constant.
    pub fn surprise(self, x: &Tensor, outputs: &Tensor, members: i64) -> Tensor {
        let each = match self {
            Likelihood::Normal => (outputs - x).square(),
            Likelihood::Bernoulli => {
                let none = None::<&Tensor>;
                let shares = (x + 1.0) / 2.0;
                outputs.binary_cross_entropy_with_logits(&shares, none, none, Reduction::None)
            }
            Likelihood::Categorical => {
                let logits = by_place(outputs, members);
                let scale = root_of_symbols(&logits);
                by_channel(&(by_place(x, members) * logits.log_softmax(-1, None) / -scale), x)
            }
        };
        let of_examples = flatten(&each, members).sum_dim_intlist([2].as_slice(), false, None);
        of_examples.mean_dim([1].as_slice(), false, None)
    }
}

/// `[n, K·c, h, w]` in channels-last memory, seen as `[n, h, w, K, c]`.
fn by_place(x: &Tensor, members: i64) -> Tensor {
    let (n, channels, height, width) = x.size4().expect("examples have four dimensions");
    x.permute([0, 2, 3, 1]).reshape([n, height, width, members, channels / members])
}

/// The inverse of [`by_place`]; `like` has the sizes.
fn by_channel(x: &Tensor, like: &Tensor) -> Tensor {
    let (n, channels, height, width) = like.size4().expect("examples have four dimensions");
    x.reshape([n, height, width, channels]).permute([0, 3, 1, 2])
}

/// √c of `[…, c]`: what a symbol that is certain is in an example.
fn root_of_symbols(x: &Tensor) -> f64 {
    (x.size()[4] as f64).sqrt()
}
