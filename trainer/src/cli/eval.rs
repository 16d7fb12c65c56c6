//! `acai-trainer eval`: the scores of a checkpoint.

use std::process::ExitCode;
use std::task::Poll;

use acai_trainer::benchmark::Clustering;
use clap::Args;
use indicatif::ProgressBar;

use super::scores::print;
use super::trained::{Opened, Trained};

/// Print the scores of a checkpoint
///
/// They are those that its training printed at that step, on the same device with the same number of threads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  acai-trainer eval lines/checkpoint-000001536.safetensors
  acai-trainer eval mnist/checkpoint-000015360.safetensors --data data --clustering --json")]
pub(super) struct Eval {
    #[command(flatten)]
    trained: Trained,
    /// Also cluster the codes, as at the end of a training (minutes on a large dataset)
    #[arg(long)]
    clustering: bool,
    /// Print the scores as JSON
    #[arg(long)]
    json: bool,
}

impl Eval {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Opened { header, model, benchmark } = self.trained.open()?;
        let spinner = ProgressBar::new_spinner().with_message("scoring");
        let mut scores = benchmark.evaluate(&*model, &mut || spinner.tick());
        if self.clustering {
            let restarts = header.identity.config.kmeans_inits;
            let mut clustering = Clustering::default();
            let accuracy = loop {
                spinner.tick();
                if let Poll::Ready(accuracy) = clustering.advance(&benchmark, &*model, restarts) {
                    break accuracy;
                }
            };
            scores.extend(accuracy.map(|accuracy| ("eval/clustering_accuracy".to_owned(), accuracy)));
        }
        spinner.finish_and_clear();
        print(header.progress.step, &scores, self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}
