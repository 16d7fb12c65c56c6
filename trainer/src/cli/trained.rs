//! A trained model, from its checkpoint.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use acai_trainer::benchmark::{Benchmark, Benchmarks};
use acai_trainer::checkpoint::{self, Header};
use acai_trainer::model::{self, Model};
use tch::Kind;

use super::Machine;

/// Which model, and where it runs.
#[derive(Debug, clap::Args)]
pub(super) struct Trained {
    /// A checkpoint that `acai-trainer train` or a worker wrote
    checkpoint: PathBuf,
    #[command(flatten)]
    machine: Machine,
}

/// The model with the dataset that it was trained on.
pub(super) struct Opened {
    pub(super) header: Header,
    pub(super) model: Box<dyn Model>,
    pub(super) benchmark: Rc<Benchmark>,
}

impl Trained {
    pub(super) fn open(self) -> anyhow::Result<Opened> {
        let header = checkpoint::read_header(&self.checkpoint)?;
        Opened::load(header, &self.checkpoint, &mut self.machine.prepare()?)
    }
}

impl Opened {
    /// The model of the file `checkpoint`, whose header is known.
    pub(super) fn load(
        header: Header,
        checkpoint: &Path,
        benchmarks: &mut Benchmarks,
    ) -> anyhow::Result<Self> {
        let config = &header.identity.config;
        let benchmark = benchmarks.get(&config.dataset)?;
        let images = (benchmark.source.medium(), benchmark.source.classes());
        let run = [(config, header.identity.seed)];
        let mut model = model::new(&run, images, (Kind::Float, benchmarks.device))?;
        checkpoint::load(&mut *model, &header.identity, checkpoint)?;
        Ok(Opened { header, model, benchmark })
    }
}
