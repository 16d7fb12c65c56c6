//! Sweep files that come in.

use std::collections::HashSet;
use std::sync::Arc;

use acai_blocking::blocking;
use acai_sweep::configuration::Configuration;
use acai_sweep::file::SweepFile;
use acai_sweep::report::Report;

use super::{Result, UseCaseError, UseCases};
use crate::store::{NewRun, NewSweep, PlannedConfiguration, Replacing, RunRecord, StoreError, Submission};

/// A sweep file that was taken, or only looked at.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The sweep's name, from the file.
    pub sweep: String,
    /// What changed, or would change.
    pub submission: Submission,
    /// Datasets on which it has runs to train and which no living worker says that it has, by name.
    pub unserved_datasets: Vec<String>,
}

impl UseCases {
    /// Stores the sweep of a file's text, or only answers what that would change, as `replacing` says.
    ///
    /// # Errors
    /// The file's mistakes, that runs with results would be set aside, or that the submitter would have too much; then nothing
    /// has changed.
    pub async fn submit(&self, source: String, replacing: Replacing) -> Result<Submitted> {
        let (file, source) = aside(move || {
            let file = SweepFile::parse("sweep file", source.as_bytes());
            file.map(|file| (file, source))
        })
        .await??;
        let runs = match file.plan.has_twins() {
            true => self.store.run_list(&file.name, &[], 0, u32::MAX).await?,
            false => Vec::new(),
        };
        let mut sweep = aside(move || new_sweep(file, source, &runs, replacing)).await?;
        sweep.submitter.clone_from(&self.submitter);
        let name = sweep.name.clone();
        let unserved_datasets = self.unserved_datasets(&sweep).await?;
        let submission = self.store.sweep_submit(sweep).await?;
        if submission.is_stored {
            let by = self.submitter.as_ref().map(|who| who.token.as_str());
            tracing::info!(sweep = name, new_runs = submission.new_runs, by, "sweep submitted");
        } else if replacing != Replacing::DryRun {
            return Err(UseCaseError::WouldSetAside { sweep: name, runs: submission.set_aside_with_results });
        }
        Ok(Submitted { sweep: name, submission, unserved_datasets })
    }
}

/// A file of 100,000 runs takes seconds to expand and to hash: other calls must not wait for that.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = blocking(work).await;
    Ok(done.map_err(|error| StoreError::Unavailable(format!("reading broke off: {error}")))?)
}

/// The file's sweep beside the runs that are in its plan now. An earlier version planned runs of their own for points
/// that train the same: they stay, with their results, as long as the file asks for them.
pub(super) fn new_sweep(
    file: SweepFile,
    source: String,
    runs: &[RunRecord],
    replacing: Replacing,
) -> NewSweep {
    let there: HashSet<(String, u64)> =
        runs.iter().map(|run| (run.configuration.config_hash(), run.seed)).collect();
    let is_there = |configuration: &Configuration, seed| there.contains(&(configuration.config_hash(), seed));
    let own = file.plan.configurations();
    let configurations: Vec<Arc<PlannedConfiguration>> =
        own.iter().map(PlannedConfiguration::new).map(Arc::new).collect();
    let runs = file.plan.runs_beside(is_there).into_iter().map(|run| match run.configuration {
        planned if std::ptr::eq(planned, &own[run.point]) => NewRun::of(&configurations[run.point], run.seed),
        twin => NewRun::new(twin, run.seed),
    });
    NewSweep {
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
        keeps_weights: file.keeps_weights,
        replacing,
        submitter: None,
    }
}
