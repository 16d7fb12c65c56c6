//! Datasets on disk: file formats, where files belong and come from, whether they are whole.
//!
//! [`open`] reads any of them into the same shape, [`Images`]: bytes, 32×32 pixels, a training and a test part. One
//! format a file: `idx` (MNIST), `matlab` (SVHN, CIFAR-10's MATLAB version), `pickle` (its Python version), `pictures`
//! (PNG and JPEG); one dataset a file on top of those. A large dataset can instead be had in a file of its bytes
//! ([`open_mapped`]), which many processes map. Datasets of strings are read by [`open_strings`]. Files come from strangers: memory is bounded whatever they say,
//! nothing in them makes this crate panic, and an error names the file and what is wrong with it.
//!
//! No network here: [`downloads`] says what there is to fetch, `acai data fetch` does it.

mod bicubic;
mod cache;
mod celeba;
mod cifar;
mod download;
mod error;
mod files;
mod folder;
mod idx;
mod images;
mod jpeg;
mod matlab;
mod missing;
mod mnist;
mod own_folders;
mod partition;
mod pickle;
mod pictures;
mod places;
mod shared;
mod strings;
mod svhn;
pub mod typeover;
mod version;

use std::path::Path;

use acai_sweep::training::Dataset;

pub use download::{Counts, Download, counts, downloads, md5};
pub use error::DataError;
pub use folder::picture;
pub use images::{Images, PIXELS, Split, WIDTH};
pub use missing::missing_files;
pub use own_folders::own_folders;
pub use places::{leads_out, place};
pub use shared::{Mapped, MappedSplit, open_mapped};
pub use strings::{SYMBOLS, String32, StringError, Strings, open_strings, string};
pub use version::{Version, version};

/// Reads all of `dataset` below the data folder `folder`; `None` if it has no files (lines32, digits32: the trainer
/// makes those itself) or is of strings ([`open_strings`]).
///
/// # Errors
/// [`DataError`] names the folder or file that is missing or is not what the dataset needs.
pub fn open(dataset: &Dataset, folder: Option<&Path>) -> Result<Option<Images>, DataError> {
    let open = match dataset {
        Dataset::Lines32 | Dataset::Digits32 | Dataset::Typeover32 | Dataset::Curve(_) | Dataset::Text(_) => {
            return Ok(None);
        }
        Dataset::Mnist32 | Dataset::FashionMnist32 => mnist::open,
        Dataset::Svhn32 => svhn::open,
        Dataset::Cifar10 => cifar::open,
        Dataset::Celeba32 => celeba::open,
        Dataset::Images(_) => return folder::open(dataset, folder).map(Some),
    };
    open(dataset, places::folder(dataset, folder)?).map(Some)
}
