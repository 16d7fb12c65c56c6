//! Where a dataset is expected, and what of it is not there.

use std::path::{Path, PathBuf};

use acai_sweep::training::Dataset;

use crate::{DataError, celeba, cifar, files, folder, pictures};

/// The folder that `dataset` is expected in; the data folder itself for one that has no files.
#[must_use]
pub fn place(dataset: &Dataset, data: Option<&Path>) -> PathBuf {
    data.unwrap_or(Path::new("")).join(below_data(dataset))
}

/// Files that `dataset` lacks, at the paths where they are expected (they may also end in `.gz`), or its folder of
/// pictures if there is none in it; empty if it needs nothing more. Looks at names only, not into files.
#[must_use]
pub fn missing_files(dataset: &Dataset, data: Option<&Path>) -> Vec<PathBuf> {
    let data = data.unwrap_or(Path::new(""));
    let (folder, has_picture): (_, fn(&Path) -> bool) = match dataset {
        Dataset::Celeba32 => (data.join(celeba::FOLDER), pictures::has_picture),
        Dataset::Images(_) => (data.join(below_data(dataset)), folder::has_picture),
        Dataset::Cifar10 => return files::missing(cifar::files(data), data),
        _ => return files::missing(dataset.files(), data),
    };
    if has_picture(&folder) { Vec::new() } else { vec![folder] }
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
