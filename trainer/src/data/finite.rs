//! A training set that is shuffled and repeated.

use acai_sweep::training::Dataset;
use tch::Tensor;

use super::epochs::Epochs;
use super::{Batch, Source};

/// A dataset of finite size, held in memory as f32: 4 KiB an image and channel, 287 MB for MNIST.
#[derive(Debug)]
pub(super) struct Finite {
    dataset: Dataset,
    classes: i64,
    train: Batch,
    test: Batch,
    epochs: Epochs,
}

impl Finite {
    /// A source of `train`, which must not be empty.
    pub(super) fn new(dataset: Dataset, classes: i64, train: Batch, test: Batch) -> Self {
        let epochs = Epochs::new(train.labels.size()[0]);
        Finite { dataset, classes, train, test, epochs }
    }
}

impl Source for Finite {
    fn dataset(&self) -> Dataset {
        self.dataset
    }

    fn channels(&self) -> i64 {
        self.train.images.size()[1]
    }

    fn classes(&self) -> i64 {
        self.classes
    }

    fn batch(&self, seed: u64, step: u64, size: usize) -> Batch {
        let chosen = Tensor::from_slice(&self.epochs.batch(seed, step, size));
        Batch {
            images: self.train.images.index_select(0, &chosen),
            labels: self.train.labels.index_select(0, &chosen),
        }
    }

    fn train(&self, chunk: i64) -> Option<Box<dyn Iterator<Item = Batch> + '_>> {
        let Batch { images, labels } = &self.train;
        let chunks = images.split(chunk, 0).into_iter().zip(labels.split(chunk, 0));
        Some(Box::new(chunks.map(|(images, labels)| Batch { images, labels })))
    }

    fn test(&self) -> &Batch {
        &self.test
    }
}
