//! What a model is measured on: a dataset with its scores and pictures.

mod clustering;
mod codes;
mod interpolation;
mod pictures;
mod scores;

pub use interpolation::Path;
pub use pictures::Picture;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use acai_sweep::training::Dataset;
use tch::Device;

use crate::data::{self, DataError, Source};
use crate::score::lines::LineJudge;

/// Images that go through a network together.
const CHUNK: i64 = 256;

/// The datasets that a process has open, shared by its runs.
#[derive(Debug)]
pub struct Benchmarks {
    /// Where models live.
    pub device: Device,
    folder: Option<PathBuf>,
    open: BTreeMap<Dataset, Rc<Benchmark>>,
}

/// An open dataset, and what judges interpolations on it.
///
/// What it says of a model is a function of the model's weights alone.
pub struct Benchmark {
    /// Its images.
    pub source: Box<dyn Source>,
    judge: Option<LineJudge>,
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
        Benchmarks { device, folder, open: BTreeMap::new() }
    }

    /// The benchmark of `dataset`, opened when first asked for.
    ///
    /// # Errors
    /// When the dataset's files cannot be read.
    pub fn get(&mut self, dataset: &Dataset) -> Result<Rc<Benchmark>, DataError> {
        if let Some(benchmark) = self.open.get(dataset) {
            return Ok(benchmark.clone());
        }
        let source = data::open(dataset, self.folder.as_deref())?;
        let judge = (*dataset == Dataset::Lines32).then(LineJudge::new);
        let benchmark = Rc::new(Benchmark { source, judge, device: self.device });
        self.open.insert(dataset.clone(), benchmark.clone());
        Ok(benchmark)
    }
}

impl Benchmark {
    /// Where models live.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }
}
