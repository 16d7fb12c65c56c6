//! How far sweeps are.

use acai_sweep::file::SweepFile;
use acai_sweep::report::Report;
use acai_sweep::schedule::is_on_any_worker;

use super::{Result, UseCaseError, UseCases};
use crate::store::{Overview, RunRecord, SweepRecord};

/// Failures that a sweep's status shows.
const FAILURES: u32 = 20;

/// A sweep, and what keeps its runs.
#[derive(Debug, Clone)]
pub struct SweepStatus {
    /// Progress and file.
    pub sweep: SweepRecord,
    /// Its first runs that ended badly, or failed and go on.
    pub failures: Vec<RunRecord>,
    /// Datasets of queued runs that no worker has.
    pub waiting_for_datasets: Vec<String>,
}

impl UseCases {
    /// Every sweep, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn sweeps(&self) -> Result<Vec<Overview>> {
        Ok(self.store.sweep_list().await?)
    }

    /// One sweep with its file.
    ///
    /// # Errors
    /// [`NoSuchSweep`](super::UseCaseError::NoSuchSweep).
    pub async fn sweep(&self, name: &str) -> Result<SweepRecord> {
        match self.store.sweep_fetch(name).await? {
            Some(sweep) => Ok(sweep),
            None => Err(self.no_such_sweep(name).await),
        }
    }

    /// What the sweep's file says of tables.
    ///
    /// # Errors
    /// [`NoSuchSweep`](super::UseCaseError::NoSuchSweep); where it was not kept beside the file, the file's mistakes by this
    /// version's rules.
    pub(super) async fn report(&self, name: &str) -> Result<Report> {
        let Some(file) = self.store.sweep_file(name).await? else {
            return Err(self.no_such_sweep(name).await);
        };
        if let Some(report) = file.report {
            return Ok(report);
        }
        let file = SweepFile::parse(name, file.source.as_bytes());
        Ok(Report::from(&file.map_err(UseCaseError::StoredMistakes)?))
    }

    /// Refuses a sweep that is not there.
    pub(super) async fn check_sweep(&self, name: &str) -> Result<()> {
        match self.store.sweep_file(name).await? {
            Some(_) => Ok(()),
            None => Err(self.no_such_sweep(name).await),
        }
    }

    /// One sweep, and what keeps its runs.
    ///
    /// # Errors
    /// [`NoSuchSweep`](super::UseCaseError::NoSuchSweep).
    pub async fn status(&self, name: &str) -> Result<SweepStatus> {
        let sweep = self.sweep(name).await?;
        let failures = self.store.failure_list(name, FAILURES).await?;
        let served = self.served_datasets().await?;
        let is_served = |dataset: &String| served.contains(dataset) || is_on_any_worker(dataset);
        let waiting = sweep.overview.queued_datasets.iter().filter(|dataset| !is_served(dataset));
        let waiting_for_datasets = waiting.cloned().collect();
        Ok(SweepStatus { sweep, failures, waiting_for_datasets })
    }
}
