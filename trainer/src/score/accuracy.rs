//! Accuracy of a classifier.

use tch::Tensor;

/// How often the largest of `logits` `[n, classes]` is at the label `[n]` (i64), in % of n > 0.
#[must_use]
pub fn accuracy(logits: &Tensor, labels: &Tensor) -> f64 {
    let hits = logits.argmax(1, false).eq_tensor(labels);
    100.0 * hits.sum(tch::Kind::Int64).int64_value(&[]) as f64 / labels.size()[0] as f64
}
