//! Datasets: where training batches and test images come from.
//!
//! Examples are images or strings ([`Medium`]). A training batch is a function of (seed, step)
//! alone, so a run sees the same images however often it is resumed and whatever shares its group.

mod digits;
mod epochs;
mod finite;
pub mod lines;
pub mod strings;

use std::ops::Range;
use std::path::Path;

use acai_sweep::training::Dataset;
use tch::{Kind, Tensor};

use finite::Finite;

use crate::medium::Medium;

pub use acai_datasets::{DataError, WIDTH};

/// Examples and what they show, on the CPU.
#[derive(Debug)]
pub struct Batch {
    /// `[n, channels, height, 32]`, f32, as [`Medium`] says.
    pub images: Tensor,
    /// `[n]`, i64 in `0..classes`.
    pub labels: Tensor,
}

/// A dataset, open for training and evaluation.
pub trait Source {
    /// What its examples are.
    fn medium(&self) -> Medium;

    /// Number of different labels; 1 if there are none.
    fn classes(&self) -> i64;

    /// The `size` training images of `step` (0-based): a function of (`seed`, `step`, `size`) alone.
    fn batch(&self, seed: u64, step: u64, size: usize) -> Batch;

    /// Those of these images of the training set that it has, in the order of its files; `None` if it is endless.
    fn train(&self, images: Range<i64>) -> Option<Batch>;

    /// The whole test set, the same for every seed.
    fn test(&self) -> &Batch;

    /// Frees what is remembered of runs to be faster. That changes no batch.
    fn forget_runs(&self) {}
}

/// A picture of one's own, brought to `[channels, 32, 32]` as those of the dataset `images:` are, with values in [-1, 1].
///
/// # Errors
/// [`DataError`] names the file, and says that it cannot be read, is no picture or is too small.
pub fn picture(file: &Path, channels: i64) -> Result<Tensor, DataError> {
    let pixels = acai_datasets::picture(file, channels as usize)?;
    let size = [channels, WIDTH as i64, WIDTH as i64];
    Ok(finite::values(&Tensor::from_data_size(&pixels, &size, Kind::Uint8)))
}

/// Opens `dataset`, reading its files (if it has any) below the data folder `folder`.
///
/// # Errors
/// [`DataError`] names the folder or file that is missing or is not what the dataset needs.
pub fn open(dataset: &Dataset, folder: Option<&Path>) -> Result<Box<dyn Source>, DataError> {
    if let Some(strings) = acai_datasets::open_strings(dataset, folder)? {
        return Ok(Box::new(strings::source(&strings)));
    }
    let mapped = acai_datasets::open_mapped(dataset, folder)?;
    // A system that cannot map the file can read the dataset.
    if let Some(mapped) = mapped.and_then(|mapped| Finite::try_from(mapped).ok()) {
        return Ok(Box::new(mapped));
    }
    Ok(match acai_datasets::open(dataset, folder)? {
        Some(images) => Box::new(Finite::from(images)),
        None => match dataset {
            Dataset::Lines32 => Box::new(lines::Lines::new()),
            _ => Box::new(digits::open()),
        },
    })
}
