//! Sweep files that come in.

use std::sync::Arc;

use acai_sweep::file::SweepFile;
use acai_sweep::report::Report;
use tokio::task::spawn_blocking;

use super::{Result, UseCaseError, UseCases};
use crate::store::{NewRun, NewSweep, PlannedConfiguration, Replacing, StoreError, Submission};

/// A sweep file that was taken, or only looked at.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The sweep's name, from the file.
    pub sweep: String,
    /// What changed, or would change.
    pub submission: Submission,
}

impl UseCases {
    /// Stores the sweep of a file's text, or only answers what that would change, as `replacing` says.
    ///
    /// # Errors
    /// The file's mistakes, or that runs with results would be set aside; then nothing has changed.
    pub async fn submit(&self, source: String, replacing: Replacing) -> Result<Submitted> {
        // A file of 100,000 runs takes seconds to expand and to hash: other calls must not wait for that.
        let sweep = spawn_blocking(move || new_sweep(source, replacing));
        let sweep =
            sweep.await.map_err(|error| StoreError::Unavailable(format!("reading broke off: {error}")))??;
        let name = sweep.name.clone();
        let submission = self.store.sweep_submit(sweep).await?;
        if submission.is_stored {
            tracing::info!(sweep = name, new_runs = submission.new_runs, "sweep submitted");
        } else if replacing != Replacing::DryRun {
            return Err(UseCaseError::WouldSetAside { sweep: name, runs: submission.set_aside_with_results });
        }
        Ok(Submitted { sweep: name, submission })
    }
}

fn new_sweep(source: String, replacing: Replacing) -> Result<NewSweep> {
    let file = SweepFile::parse("sweep file", source.as_bytes())?;
    let configurations = file.plan.configurations().iter().map(PlannedConfiguration::new).map(Arc::new);
    let configurations: Vec<Arc<PlannedConfiguration>> = configurations.collect();
    let runs = file.plan.runs().map(|run| NewRun::of(&configurations[run.point], run.seed));
    Ok(NewSweep {
        report: Report::from(&file),
        runs: runs.collect(),
        name: file.name,
        source,
        description: file.description,
        tags: file.tags,
        priority: file.priority,
        max_concurrent: file.max_concurrent,
        max_restarts: file.max_restarts,
        max_lost_workers: file.max_lost_workers,
        max_failed_runs: file.max_failed_runs,
        checkpoint_kimg: file.checkpoint_kimg,
        replacing,
    })
}
