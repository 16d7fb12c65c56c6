//! mnist32 and fashion-mnist32: IDX files, 28×28 images inside a black border.

use std::path::Path;

use acai_sweep::training::Dataset;

use crate::idx::{self, IMAGE_WIDTH};
use crate::{DataError, Images, PIXELS, Split, WIDTH, files};

/// Reads the four files of `dataset` (train and test, images and labels) below `folder`.
pub(crate) fn open(dataset: &Dataset, folder: &Path) -> Result<Images, DataError> {
    let found = files::find_all(dataset, dataset.files(), folder)?;
    let [train_images, train_labels, test_images, test_labels] = &found[..] else {
        unreachable!("an MNIST-like dataset has four files");
    };
    let (train, test) = (read_set(train_images, train_labels)?, read_set(test_images, test_labels)?);
    Ok(Images { colours: 1, classes: idx::CLASSES.into(), train, test })
}

/// A file of images and the file of their labels.
fn read_set(images: &Path, labels: &Path) -> Result<Split, DataError> {
    let small = files::read(images, |file| idx::read_images(file))?;
    let classes = files::read(labels, |file| idx::read_labels(file))?;
    let count = small.len() / (IMAGE_WIDTH * IMAGE_WIDTH);
    if count != classes.len() {
        return Err(DataError::Unpaired { path: labels.to_owned(), images: count, labels: classes.len() });
    }
    Ok(Split { pixels: pad(&small), labels: classes.into_iter().map(u16::from).collect() })
}

/// Images `[n, 28, 28]` as `[n, 32, 32]` with 0 around them.
fn pad(small: &[u8]) -> Vec<u8> {
    let border = (WIDTH - IMAGE_WIDTH) / 2;
    let mut pixels = vec![0; small.len() / (IMAGE_WIDTH * IMAGE_WIDTH) * PIXELS];
    let images = pixels.chunks_exact_mut(PIXELS).zip(small.chunks_exact(IMAGE_WIDTH * IMAGE_WIDTH));
    for (padded, small) in images {
        let rows = padded.chunks_exact_mut(WIDTH).skip(border);
        for (row, small) in rows.zip(small.chunks_exact(IMAGE_WIDTH)) {
            row[border..border + IMAGE_WIDTH].copy_from_slice(small);
        }
    }
    pixels
}
