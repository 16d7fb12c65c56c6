//! `acai-trainer eval`: the scores of a checkpoint.

use std::process::ExitCode;

use clap::Args;

use super::scores::print;
use super::trained::{Opened, Trained};

/// Print the scores of a checkpoint
///
/// They are those that its training printed at that step, on the same device with the same number of threads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  acai-trainer eval lines/checkpoint-000001536.safetensors
  acai-trainer eval mnist/checkpoint-000015360.safetensors --data data --json")]
pub(super) struct Eval {
    #[command(flatten)]
    trained: Trained,
    /// Print the scores as JSON
    #[arg(long)]
    json: bool,
}

impl Eval {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Opened { header, model, benchmark } = self.trained.open()?;
        print(header.step, &benchmark.evaluate(&*model), self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}
