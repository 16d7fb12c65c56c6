//! What can be wrong with a data folder.

use std::error::Error;
use std::io;
use std::path::{self, Path, PathBuf};

use acai_sweep::training::Dataset;

use crate::places;

/// Why a dataset can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The dataset is read from files and no data folder was given.
    #[error("dataset `{dataset}` is read from files: give the data folder that holds `{file}`")]
    NoFolder {
        /// The dataset's name.
        dataset: String,
        /// Its folder, relative to the data folder.
        file: PathBuf,
    },
    /// The data folder is not there.
    #[error(
        "data folder `{folder}` of dataset `{dataset}` is not a folder: `acai data fetch` makes and fills it; or give another"
    )]
    FolderMissing {
        /// The dataset's name.
        dataset: String,
        /// The folder as it was given.
        folder: PathBuf,
    },
    /// One of the dataset's files is not there.
    #[error("dataset `{dataset}` has no file `{path}`, plain or with `.gz`: `acai data fetch {dataset}`")]
    FileMissing {
        /// The dataset's name.
        dataset: String,
        /// Where the plain file would be.
        path: PathBuf,
    },
    /// A file is there but can't be read: permissions, the disk.
    #[error("can't read `{path}`: check that it is there and its permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is not the one that belongs there.
    #[error("`{path}` is not the dataset's file: {reason}; download it again")]
    NotTheFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: Box<dyn Error + Send + Sync>,
    },
    /// Images and labels of one set differ in number, in one file or two.
    #[error("`{path}` holds {labels} labels for {images} images: download the dataset again")]
    Unpaired {
        /// The file with the labels.
        path: PathBuf,
        /// Number of images that go with it.
        images: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A file is no picture that can be read.
    #[error("picture `{path}` cannot be used: {reason}; repair or remove it")]
    Picture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A dataset of pictures has no folder of them.
    #[error("dataset `{dataset}` needs a folder of pictures at `{folder}`: put them there")]
    NoPictures {
        /// The dataset's name.
        dataset: String,
        /// Where the folder would be.
        folder: PathBuf,
    },
    /// A dataset of one's own pictures has no folder of them.
    #[error("dataset `{dataset}` has no pictures: there are none in `{folder}`{relative}")]
    NoOwnPictures {
        /// The dataset's name.
        dataset: String,
        /// The folder that was looked at, with its full path.
        folder: PathBuf,
        /// What its path is relative to, unless the dataset's name has the full one.
        relative: &'static str,
    },
    /// A folder of pictures holds too few of them to train and test on.
    #[error("folder `{path}` holds {train} pictures to train on and {test} to test on: {need}")]
    TooFewPictures {
        /// The folder.
        path: PathBuf,
        /// How many it holds to train on.
        train: usize,
        /// How many it holds to test on.
        test: usize,
        /// What is needed.
        need: &'static str,
    },
    /// Not the pictures that were published, and nothing says which are tested on.
    #[error(
        "folder `{folder}` holds {found} of the {published} published pictures and {others} others: unpack it again, \
         or put the file that says which are tested on at `{partition}`"
    )]
    NotThePictures {
        /// The folder.
        folder: PathBuf,
        /// How many of the published pictures it holds.
        found: usize,
        /// How many others it holds.
        others: usize,
        /// How many are published.
        published: usize,
        /// Where the file that decides would be.
        partition: PathBuf,
    },
    /// A folder of pictures lacks one that its partition names.
    #[error("folder `{folder}` lacks `{picture}`, which the partition beside it names: unpack it again")]
    PictureMissing {
        /// The folder.
        folder: PathBuf,
        /// The picture's name.
        picture: String,
    },
    /// A file of strings has something else in it.
    #[error("`{}`:{line}:{column}: {reason}", path.display())]
    NotStrings {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A folder of pictures has more subfolders than labels can be.
    #[error("folder `{path}` has {found} subfolders of pictures; labels are at most {most}")]
    TooManyLabels {
        /// The folder.
        path: PathBuf,
        /// How many it has.
        found: usize,
        /// How many there may be.
        most: usize,
    },
}

impl DataError {
    /// The error for a dataset `images:PATH` whose folder is not there or has no pictures, below the data folder `data`.
    #[must_use]
    pub fn no_own_pictures(dataset: &Dataset, data: Option<&Path>) -> DataError {
        let place = places::place(dataset, data);
        let relative = match dataset.own_path().is_some_and(|path| Path::new(path).is_absolute()) {
            true => "",
            false => " (PATH in `images:PATH` is relative to the data folder, --data)",
        };
        let folder = path::absolute(&place).unwrap_or(place);
        DataError::NoOwnPictures { dataset: dataset.name().to_owned(), folder, relative }
    }
}
