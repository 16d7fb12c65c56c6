//! What people want of runs, and why a run is not trained.

use acai_sweep::control::Intent;

use super::{Result, UseCaseError, UseCases};
use crate::store::{Changes, Explanation};

/// Runs that a call can name one by one.
const INDEXES: usize = 100_000;

impl UseCases {
    /// Applies what a person wants to the runs at `indexes` of the sweep's plan, or to all of it if there are none.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep), and too many indexes.
    pub async fn change_runs(&self, sweep: &str, indexes: Vec<u32>, intent: Intent) -> Result<Changes> {
        if indexes.len() > INDEXES {
            let problem = format!("names more than {INDEXES} runs");
            return Err(UseCaseError::Question { part: "indexes", problem });
        }
        let Some(changes) = self.store.runs_change(sweep, indexes, intent.clone()).await? else {
            return Err(self.no_such_sweep(sweep).await);
        };
        let Changes { changed, asked, .. } = changes;
        tracing::info!(sweep, ?intent, changed, asked, "runs changed");
        Ok(changes)
    }

    /// Changes a sweep's priority, and how many of its runs may run at a time (0: no limit).
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep).
    pub async fn set_limits(
        &self,
        sweep: &str,
        priority: Option<i64>,
        max_concurrent: Option<u32>,
    ) -> Result<()> {
        if self.store.sweep_set_limits(sweep, priority, max_concurrent).await? {
            Ok(())
        } else {
            Err(self.no_such_sweep(sweep).await)
        }
    }

    /// What decides whether the run at `index` of the sweep's plan is trained.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep), [`NoSuchRun`](UseCaseError::NoSuchRun).
    pub async fn explain(&self, sweep: &str, index: u32) -> Result<Explanation> {
        let silent_ms = i64::from(self.terms.lease_ms);
        if let Some(explanation) = self.store.run_explain(sweep, index, silent_ms).await? {
            return Ok(explanation);
        }
        self.sweep(sweep).await?;
        Err(UseCaseError::NoSuchRun { sweep: sweep.to_owned(), index })
    }
}
