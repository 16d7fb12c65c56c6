//! How well examples come back from their codes.

use tch::{Kind, Tensor};

use crate::medium::{Medium, most_likely};

/// The least probability of a character that counts as more than 0: single precision has none between.
const LEAST: f64 = 1e-38;

/// A score of reconstruction, which is a mean.
pub(super) struct Part {
    pub(super) name: &'static str,
    /// What the examples at hand add, `[]`, f64.
    pub(super) sum: Tensor,
    /// What one example counts: values, characters or itself.
    pub(super) of_one: i64,
    /// 100 for a share in %.
    pub(super) scale: f64,
}

/// What examples `[n, c, h, 32]` and what came back of them, on one device, add to the scores of reconstruction.
pub(super) fn parts(medium: Medium, examples: &Tensor, decoded: &Tensor) -> Vec<Part> {
    let values = examples.size()[1..].iter().product();
    match medium {
        Medium::Images { .. } => {
            let sum = (decoded - examples).square().sum(Kind::Double);
            vec![Part { name: "eval/reconstruction_mse", sum, of_one: values, scale: 1.0 }]
        }
        Medium::Strings { symbols } => {
            let places = values / symbols;
            // Both have √symbols where a probability is 1.
            let of_true = (decoded * examples).sum_dim_intlist([1].as_slice(), false, Kind::Double);
            let nats = -(of_true / symbols as f64).clamp_min(LEAST).log().sum(Kind::Double);
            let hits = most_likely(decoded).eq_tensor(&most_likely(examples)); // [n, 32]
            let exact = hits.all_dim(1, false).sum(Kind::Double);
            let hits = hits.sum(Kind::Double);
            vec![
                Part { name: "eval/reconstruction_nats", sum: nats, of_one: places, scale: 1.0 },
                Part { name: "eval/accuracy", sum: hits, of_one: places, scale: 100.0 },
                Part { name: "eval/exact", sum: exact, of_one: 1, scale: 100.0 },
            ]
        }
    }
}
