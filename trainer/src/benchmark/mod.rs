//! What a model is measured on: a dataset with its scores and pictures.

mod clustering;
mod codes;
mod interpolation;
mod judge;
mod pictures;
mod reconstruction;
mod scores;

pub use clustering::Clustering;
pub use interpolation::Path;
pub use pictures::Picture;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use acai_datasets::Version;
use acai_sweep::training::Dataset;
use tch::Device;

use crate::data::{self, DataError, Source};
use judge::Judge;

/// Images whose codes have a key for their draws in common, which numbers the chunk.
const CHUNK: i64 = 256;

/// The datasets that a process has open, shared by its runs.
#[derive(Debug)]
pub struct Benchmarks {
    /// Where models live.
    pub device: Device,
    folder: Option<PathBuf>,
    open: BTreeMap<Dataset, Open>,
    /// Of an earlier group.
    kept: Option<(Dataset, Open)>,
}

/// A benchmark, and the files that it was read from.
#[derive(Debug)]
struct Open {
    benchmark: Rc<Benchmark>,
    version: Option<Version>,
}

/// An open dataset, and what judges interpolations on it.
///
/// What it says of a model is a function of the model's weights alone.
pub struct Benchmark {
    /// Its images.
    pub source: Box<dyn Source>,
    judge: Option<Judge>,
    device: Device,
}

impl std::fmt::Debug for Benchmark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Benchmark").field("device", &self.device).finish_non_exhaustive()
    }
}

impl Benchmarks {
    /// None open yet; files are looked for below `folder`.
    #[must_use]
    pub fn new(device: Device, folder: Option<PathBuf>) -> Benchmarks {
        Benchmarks { device, folder, open: BTreeMap::new(), kept: None }
    }

    /// The benchmark of `dataset`, opened when first asked for; or that of an earlier group, if its files have not changed
    /// since.
    ///
    /// # Errors
    /// When the dataset's files cannot be read.
    pub fn get(&mut self, dataset: &Dataset) -> Result<Rc<Benchmark>, DataError> {
        if let Some(open) = self.open.get(dataset) {
            return Ok(open.benchmark.clone());
        }
        // Looked at before the files are read. What is wrong with them is said by whoever reads them.
        let version = acai_datasets::version(dataset, self.folder.as_deref()).ok();
        let kept = self
            .kept
            .take()
            .filter(|(kept, open)| kept == dataset && version.is_some() && open.version == version);
        let benchmark = match kept {
            Some((_, open)) => open.benchmark,
            None => Rc::new(self.read(dataset)?),
        };
        self.open.insert(dataset.clone(), Open { benchmark: benchmark.clone(), version });
        Ok(benchmark)
    }

    fn read(&self, dataset: &Dataset) -> Result<Benchmark, DataError> {
        let source = data::open(dataset, self.folder.as_deref())?;
        let judge = Judge::of(dataset, &*source);
        Ok(Benchmark { source, judge, device: self.device })
    }

    /// Keeps one dataset for the next group, which probably trains on it too, and nothing of the runs that have ended.
    pub fn between_groups(&mut self) {
        if let Some((dataset, open)) = self.open.pop_last() {
            open.benchmark.source.forget_runs();
            self.kept = Some((dataset, open));
        }
        self.open.clear();
    }
}

impl Benchmark {
    /// Where models live.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }
}
