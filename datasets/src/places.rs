//! Where a dataset is expected.

use std::path::{Path, PathBuf};

use acai_sweep::training::Dataset;

use crate::DataError;

/// The folder that `dataset` is expected in; the data folder itself for one that has no files.
#[must_use]
pub fn place(dataset: &Dataset, data: Option<&Path>) -> PathBuf {
    data.unwrap_or(Path::new("")).join(below_data(dataset))
}

/// The data folder, which must be there.
pub(crate) fn folder<'a>(dataset: &Dataset, data: Option<&'a Path>) -> Result<&'a Path, DataError> {
    let name = || dataset.name().to_owned();
    let folder =
        data.ok_or_else(|| DataError::NoFolder { dataset: name(), file: below_data(dataset).to_owned() })?;
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(DataError::FolderMissing { dataset: name(), folder: folder.to_owned() })
    }
}

/// The folder that holds everything of a dataset, relative to the data folder (or absolute: `images:/…`).
fn below_data(dataset: &Dataset) -> &Path {
    Path::new(match dataset {
        Dataset::Lines32 | Dataset::Digits32 => "",
        Dataset::Mnist32 => "mnist",
        Dataset::FashionMnist32 => "fashion-mnist",
        Dataset::Svhn32 => "svhn",
        Dataset::Cifar10 => "cifar10",
        Dataset::Celeba32 => "celeba",
        Dataset::Images(_) => dataset.images_path().unwrap_or_default(),
    })
}
