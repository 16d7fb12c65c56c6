//! What can be wrong with a data folder.

use std::io;
use std::path::PathBuf;

use super::idx::IdxError;

/// Why a dataset can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The dataset is read from files and no data folder was given.
    #[error("dataset `{dataset}` is read from files: give the data folder that holds `{file}`")]
    NoFolder {
        /// The dataset's name.
        dataset: &'static str,
        /// The first of its files, relative to the data folder.
        file: &'static str,
    },
    /// The data folder is not there.
    #[error("data folder `{folder}` of dataset `{dataset}` is not a folder: create it or give another")]
    FolderMissing {
        /// The dataset's name.
        dataset: &'static str,
        /// The folder as it was given.
        folder: PathBuf,
    },
    /// One of the dataset's files is not there.
    #[error("dataset `{dataset}` has no file `{path}`, plain or with `.gz`: download it to there")]
    FileMissing {
        /// The dataset's name.
        dataset: &'static str,
        /// Where the plain file would be.
        path: PathBuf,
    },
    /// A file is there but can't be read: permissions, the disk, damaged gzip.
    #[error("can't read `{path}`: check its permissions, or download it again if it is damaged")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system or the decompressor said.
        source: io::Error,
    },
    /// A file is not the IDX file that belongs there.
    #[error("`{path}` is not the dataset's file: {reason}; download it again")]
    NotTheFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: IdxError,
    },
    /// Images and labels of one set differ in number.
    #[error("`{path}` holds {labels} labels for {images} images: download both files again")]
    Unpaired {
        /// The file of labels.
        path: PathBuf,
        /// Number of images in the file that goes with it.
        images: usize,
        /// Number of labels.
        labels: usize,
    },
}
