//! Where a dataset is expected.

use std::path::{Component, Path, PathBuf};

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

/// Whether `dataset` is a folder of pictures or a file of strings that is not below the data folder, links considered. One
/// that is not there is judged by its path alone, so that nobody learns which folders and files there are.
#[must_use]
pub fn leads_out(dataset: &Dataset, data: Option<&Path>) -> bool {
    if dataset.own_path().is_none() {
        return false;
    }
    let below = below_data(dataset);
    let Ok(data) = std::path::absolute(data.unwrap_or(Path::new("."))) else { return true };
    let place = data.join(below);
    let climbs = below.components().any(|part| part == Component::ParentDir);
    climbs || !place.starts_with(&data) || follows_out(&place, &data)
}

/// Whether what is at `place` is somewhere else than below `data`.
fn follows_out(place: &Path, data: &Path) -> bool {
    match (place.canonicalize(), data.canonicalize()) {
        (Ok(place), Ok(data)) => !place.starts_with(data),
        _ => false,
    }
}

/// The folder, or of strings the file, that holds everything of a dataset, relative to the data folder (or absolute:
/// `images:/…`).
fn below_data(dataset: &Dataset) -> &Path {
    Path::new(match dataset {
        Dataset::Lines32 | Dataset::Digits32 | Dataset::Typeover32 => "",
        Dataset::Mnist32 => "mnist",
        Dataset::FashionMnist32 => "fashion-mnist",
        Dataset::Svhn32 => "svhn",
        Dataset::Cifar10 => "cifar10",
        Dataset::Celeba32 => "celeba",
        Dataset::Images(_) | Dataset::Curve(_) | Dataset::Text(_) => dataset.own_path().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_strings_lead_out_of_the_data_folder_as_folders_of_pictures_do() {
        for kind in ["images", "curve", "text"] {
            for (path, is_out) in
                [("own.txt", false), ("a/own.txt", false), ("../own.txt", true), ("/etc/hostname", true)]
            {
                let dataset = Dataset::from_name(&format!("{kind}:{path}"));
                let found = dataset.map(|dataset| leads_out(&dataset, Some(Path::new("data"))));
                assert_eq!(found, Some(is_out), "{kind}:{path}");
            }
        }
    }
}
