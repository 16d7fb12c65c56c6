//! mnist32 and fashion-mnist32: IDX files, 28×28 images padded to 32×32 with -1.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use acai_sweep::training::Dataset;
use flate2::bufread::MultiGzDecoder;
use tch::{Device, Kind, Tensor};

use super::finite::Finite;
use super::idx::{self, IMAGE_WIDTH, IdxError};
use super::{Batch, DataError, WIDTH};

/// Opens the four files of `dataset` (train and test, images and labels) below `folder`.
pub(super) fn open(dataset: Dataset, folder: Option<&Path>) -> Result<Finite, DataError> {
    let name = dataset.name();
    let &[train_images, train_labels, test_images, test_labels] = dataset.files() else {
        unreachable!("an MNIST-like dataset has four files");
    };
    let folder = folder.ok_or(DataError::NoFolder { dataset: name, file: train_images })?;
    if !folder.is_dir() {
        return Err(DataError::FolderMissing { dataset: name, folder: folder.to_owned() });
    }
    let find = |file| find(name, &folder.join(file));
    // Missing files are reported before the first, slow one is read.
    let train = (find(train_images)?, find(train_labels)?);
    let test = (find(test_images)?, find(test_labels)?);
    Ok(Finite::new(dataset, idx::CLASSES.into(), read_set(&train.0, &train.1)?, read_set(&test.0, &test.1)?))
}

/// `path` itself or, where there is none, `path` with `.gz`.
fn find(dataset: &'static str, path: &Path) -> Result<PathBuf, DataError> {
    let gz = path.with_added_extension("gz");
    match [path, &gz].into_iter().find(|candidate| candidate.is_file()) {
        Some(found) => Ok(found.to_owned()),
        None => Err(DataError::FileMissing { dataset, path: path.to_owned() }),
    }
}

/// A file of images and the file of their labels.
fn read_set(images: &Path, labels: &Path) -> Result<Batch, DataError> {
    let pixels = read_file(images, |file| idx::read_images(file))?;
    let classes = read_file(labels, |file| idx::read_labels(file))?;
    let count = pixels.len() / (IMAGE_WIDTH * IMAGE_WIDTH);
    if count != classes.len() {
        return Err(DataError::Unpaired { path: labels.to_owned(), images: count, labels: classes.len() });
    }
    Ok(Batch { images: pad(&pixels, count), labels: Tensor::from_slice(&classes).to_kind(Kind::Int64) })
}

/// Applies an IDX reader to a file, decompressing what is gzip, whatever its name.
fn read_file(
    path: &Path,
    read: impl Fn(&mut dyn Read) -> Result<Vec<u8>, IdxError>,
) -> Result<Vec<u8>, DataError> {
    let cant_read = |source: io::Error| DataError::Read { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(cant_read)?);
    let is_gzip = file.fill_buf().map_err(cant_read)?.starts_with(&[0x1f, 0x8b]);
    let bytes = if is_gzip { read(&mut MultiGzDecoder::new(file)) } else { read(&mut file) };
    bytes.map_err(|error| match error {
        IdxError::Read(source) => cant_read(source),
        reason => DataError::NotTheFile { path: path.to_owned(), reason },
    })
}

/// Bytes `[count, 28, 28]` to images `[count, 1, 32, 32]`: x/127.5 - 1 inside a border of -1.
fn pad(pixels: &[u8], count: usize) -> Tensor {
    let (count, inner, width) = (count as i64, IMAGE_WIDTH as i64, WIDTH as i64);
    let border = (width - inner) / 2;
    let images = Tensor::full([count, 1, width, width], -1.0, (Kind::Float, Device::Cpu));
    let pixels = Tensor::from_data_size(pixels, &[count, 1, inner, inner], Kind::Uint8);
    let mut inside = images.narrow(2, border, inner).narrow(3, border, inner);
    inside.copy_(&pixels);
    let _ = inside.g_div_scalar_(127.5).g_sub_scalar_(1.0);
    images
}
