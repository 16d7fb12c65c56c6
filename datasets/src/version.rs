//! Whether a dataset's files are still those that were read.

use std::path::{Path, PathBuf};

use acai_sweep::training::Dataset;

use crate::{DataError, cache, celeba, cifar, files, folder, places};

/// The files of a dataset as they were at some time: it changes when one is added, removed, renamed or written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub(crate) cache::Key);

/// The version of `dataset` below the data folder `data`; one without files has always the same.
///
/// # Errors
/// [`DataError`] names the folder or file that is missing or cannot be looked at.
pub fn version(dataset: &Dataset, data: Option<&Path>) -> Result<Version, DataError> {
    let (root, sources) = sources(dataset, data)?;
    cache::key(&root, &sources).map(Version)
}

/// The files of which the dataset is made, in the order in which they are read, and the folder that they are below.
fn sources(dataset: &Dataset, data: Option<&Path>) -> Result<(PathBuf, Vec<PathBuf>), DataError> {
    let wanted = match dataset {
        Dataset::Lines32 | Dataset::Digits32 | Dataset::Typeover32 => {
            return Ok((PathBuf::new(), Vec::new()));
        }
        Dataset::Images(_) => {
            let root = places::place(dataset, data);
            let sources = folder::sources(&root)?;
            return Ok((root, sources));
        }
        Dataset::Curve(_) | Dataset::Text(_) => {
            return Ok((PathBuf::new(), vec![places::place(dataset, data)]));
        }
        Dataset::Celeba32 => None,
        Dataset::Cifar10 => Some(cifar::files(places::folder(dataset, data)?)),
        Dataset::Mnist32 | Dataset::FashionMnist32 | Dataset::Svhn32 => Some(dataset.files()),
    };
    let root = places::folder(dataset, data)?;
    let sources = match wanted {
        Some(wanted) => files::find_all(dataset, wanted, root)?,
        None => celeba::sources(root)?,
    };
    Ok((root.to_owned(), sources))
}
