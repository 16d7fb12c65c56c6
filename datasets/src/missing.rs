//! What of a dataset is not there.

use std::path::{Path, PathBuf};

use acai_sweep::training::Dataset;

use crate::{celeba, cifar, files, folder, pictures, places, strings};

/// Files that `dataset` lacks, at the paths where they are expected (they may also end in `.gz`), or its folder of
/// pictures if there is none in it, or its file of strings; empty if it needs nothing more. Looks at names only, not into files.
#[must_use]
pub fn missing_files(dataset: &Dataset, data: Option<&Path>) -> Vec<PathBuf> {
    let data = data.unwrap_or(Path::new(""));
    let (folder, has_picture): (_, fn(&Path) -> bool) = match dataset {
        Dataset::Celeba32 => (data.join(celeba::FOLDER), pictures::has_picture),
        Dataset::Images(_) => (places::place(dataset, Some(data)), folder::has_picture),
        Dataset::Curve(_) | Dataset::Text(_) => (places::place(dataset, Some(data)), strings::is_there),
        Dataset::Cifar10 => return files::missing(cifar::files(data), data),
        _ => return files::missing(dataset.files(), data),
    };
    if has_picture(&folder) { Vec::new() } else { vec![folder] }
}
