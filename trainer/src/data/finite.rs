//! A training set that is shuffled and repeated.

use std::ops::Range;
use std::os::fd::AsRawFd;

use acai_datasets::{Images, Mapped, MappedSplit, Split, WIDTH};
use tch::{Device, Kind, TchError, Tensor};

use super::epochs::Epochs;
use super::{Batch, Source};
use crate::medium::Medium;

/// A dataset of finite size, held in memory: as bytes if it was read from files (47 MB for MNIST's 60,000 images).
#[derive(Debug)]
pub(super) struct Finite {
    classes: i64,
    train: Batch,
    test: Batch,
    epochs: Epochs,
}

impl Finite {
    /// A source of `train`, which must not be empty. Images are bytes or values in [-1, 1].
    pub(super) fn new(classes: i64, train: Batch, test: Batch) -> Self {
        let epochs = Epochs::new(train.labels.size()[0]);
        Finite { classes, train, test: with_values(test), epochs }
    }
}

impl TryFrom<Mapped> for Finite {
    type Error = TchError;

    /// The training images stay in the file, whose pages all processes share.
    fn try_from(mapped: Mapped) -> Result<Finite, TchError> {
        let Mapped { file, len, colours, classes, train, test } = mapped;
        // By the open file, not by its name, which another file may have by now.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let bytes = Tensor::f_from_file(&path, false, len as i64, (Kind::Uint8, Device::Cpu))?;
        let part = |MappedSplit { at, labels }: MappedSplit| {
            let size = [labels.len(), colours, WIDTH, WIDTH].map(|size| size as i64);
            let images = bytes.narrow(0, at as i64, size.iter().product()).view(size);
            let labels: Vec<i64> = labels.into_iter().map(i64::from).collect();
            Batch { images, labels: Tensor::from_slice(&labels) }
        };
        Ok(Finite::new((classes as i64).max(1), part(train), part(test)))
    }
}

impl From<Images> for Finite {
    fn from(Images { colours, classes, train, test }: Images) -> Finite {
        let part = |Split { pixels, labels }: Split| {
            let size = [labels.len(), colours, WIDTH, WIDTH].map(|size| size as i64);
            let labels: Vec<i64> = labels.into_iter().map(i64::from).collect();
            Batch {
                images: Tensor::from_data_size(&pixels, &size, Kind::Uint8),
                labels: Tensor::from_slice(&labels),
            }
        };
        Finite::new((classes as i64).max(1), part(train), part(test))
    }
}

fn with_values(Batch { images, labels }: Batch) -> Batch {
    Batch { images: values(&images), labels }
}

/// Images as values in [-1, 1]: bytes x become x/127.5 - 1.
pub(super) fn values(images: &Tensor) -> Tensor {
    match images.kind() {
        Kind::Uint8 => images.to_kind(Kind::Float) / 127.5 - 1.0,
        _ => images.shallow_clone(),
    }
}

impl Source for Finite {
    fn medium(&self) -> Medium {
        let (channels, height) = (self.train.images.size()[1], self.train.images.size()[2]);
        match height {
            1 => Medium::Strings { symbols: channels },
            _ => Medium::Images { colours: channels },
        }
    }

    fn classes(&self) -> i64 {
        self.classes
    }

    fn batch(&self, seed: u64, step: u64, size: usize) -> Batch {
        let chosen = Tensor::from_slice(&self.epochs.batch(seed, step, size));
        with_values(Batch {
            images: self.train.images.index_select(0, &chosen),
            labels: self.train.labels.index_select(0, &chosen),
        })
    }

    fn train(&self, images: Range<i64>) -> Option<Batch> {
        let [start, end] = [images.start, images.end].map(|place| place.min(self.train.labels.size()[0]));
        let part = |of_all: &Tensor| of_all.narrow(0, start, end - start);
        Some(with_values(Batch { images: part(&self.train.images), labels: part(&self.train.labels) }))
    }

    fn test(&self) -> &Batch {
        &self.test
    }

    fn forget_runs(&self) {
        self.epochs.forget();
    }
}
