//! Clustering accuracy of latent codes (paper, section 5.2; the authors' `cluster.py`).

mod assignment;
mod kmeans;
mod whitening;

pub use assignment::matched;
pub use kmeans::{Clusters, KMeans};
pub use whitening::Whitening;

use tch::Tensor;

/// Accuracy in % on the test set when clusters of the training set, found without labels, are matched one-to-one
/// with labels: codes are whitened, then K-means keeps the best of `restarts` random starts.
///
/// `train` is `[n, d]`, `test` `[m, d]` on the same device, `labels` `[m]` (i64 in `0..classes`). A function of its
/// inputs alone. `None` if a code is not finite, or if there are fewer codes than classes. `pulse` is called again and
/// again, for it may take long.
pub fn clustering_accuracy(
    train: &Tensor,
    test: &Tensor,
    labels: &Tensor,
    classes: i64,
    restarts: u32,
    pulse: &mut dyn FnMut(),
) -> Option<f64> {
    let _guard = tch::no_grad_guard();
    let finite = |codes: &Tensor| codes.isfinite().all().int64_value(&[]) == 1;
    if !finite(train) || !finite(test) || train.size()[0] < classes {
        return None;
    }
    let whitening = Whitening::of(train);
    let (train, test) = (whitening.apply(train), whitening.apply(test));
    let clusters = KMeans { clusters: classes, restarts }.fit(&train, pulse);
    let found = clusters.of(&test);
    // How many of each label [row] are in each cluster [column].
    let pairs = labels.to_device(found.device()) * classes + &found;
    let counts = pairs.bincount(None::<&Tensor>, classes * classes).view([classes, classes]);
    let counts = Vec::<Vec<i64>>::try_from(counts).expect("a matrix of counts");
    Some(100.0 * matched(counts) as f64 / labels.size()[0] as f64)
}
