//! Clustering accuracy of latent codes (paper, section 5.2; the authors' `cluster.py`).

mod assignment;
mod kmeans;
mod whitening;

pub use assignment::matched;
pub use kmeans::{Clusters, KMeans, Search};
pub use whitening::Whitening;

use tch::Tensor;

/// The accuracy in % on the test set when clusters of the training set, found without labels, are matched one-to-one
/// with labels: codes are whitened, then K-means keeps the best of many random starts. A function of its inputs alone, on its
/// way: it may take minutes.
#[derive(Debug)]
pub struct Clustering {
    search: Search,
    /// Whitened codes of the test set.
    test: Tensor,
    /// Of the test set.
    labels: Tensor,
    classes: i64,
}

impl Clustering {
    /// `train` is `[n, d]`, `test` `[m, d]` on the same device, `labels` `[m]` (i64 in `0..classes`). `None` if a code is not
    /// finite, or if there are fewer codes than classes.
    #[must_use]
    pub fn new(
        train: &Tensor,
        test: &Tensor,
        (labels, classes): (&Tensor, i64),
        restarts: u32,
    ) -> Option<Clustering> {
        let _guard = tch::no_grad_guard();
        let finite = |codes: &Tensor| codes.isfinite().all().int64_value(&[]) == 1;
        if !finite(train) || !finite(test) || train.size()[0] < classes {
            return None;
        }
        let whitening = Whitening::of(train);
        let search = KMeans { clusters: classes, restarts }.search(whitening.apply(train));
        let labels = labels.to_device(test.device());
        Some(Clustering { search, test: whitening.apply(test), labels, classes })
    }

    /// Does an iteration of K-means; the accuracy after the last one.
    pub fn advance(&mut self) -> Option<f64> {
        let _guard = tch::no_grad_guard();
        let found = self.search.advance()?.of(&self.test);
        // How many of each label [row] are in each cluster [column].
        let pairs = &self.labels * self.classes + &found;
        let counts = pairs.bincount(None::<&Tensor>, self.classes * self.classes);
        let counts = Vec::<Vec<i64>>::try_from(counts.view([self.classes, self.classes]));
        let counts = counts.expect("a matrix of counts");
        Some(100.0 * matched(counts) as f64 / self.labels.size()[0] as f64)
    }
}
