//! Every dataset is read from small files in its published format, and what is wrong with a file is said.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod celeba;
mod cifar;
mod damage;
mod folder;
mod mnist;
mod own_folders;
mod places;
mod svhn;

use std::fs;
use std::path::Path;

use acai_datasets::{Images, open};
use acai_sweep::training::Dataset;
use tempfile::TempDir;

/// A data folder with these files, by their paths in it.
fn data_folder<'a>(files: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// The dataset in a data folder where it is whole.
fn opened(dataset: &Dataset, folder: &Path) -> Images {
    open(dataset, Some(folder)).unwrap().unwrap()
}

/// What is wrong with a data folder, which the message calls DATA.
fn refused(dataset: &Dataset, folder: &Path) -> String {
    match open(dataset, Some(folder)) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string().replace(&folder.display().to_string(), "DATA"),
    }
}

/// What is said of a file that does not belong there.
fn not_the_file(file: &str, reason: &str) -> String {
    format!("`DATA/{file}` is not the dataset's file: {reason}; download it again")
}
