//! What people want of runs, and why a run is not trained.

use acai_sweep::control::Intent;

use super::runs::NAMED;
use super::{Result, UseCaseError, UseCases};
use crate::store::{Changes, Explanation};

impl UseCases {
    /// Applies what a person wants to the runs numbered `numbers` in the sweep's plan, or to all of it if there are none.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep), and too many numbers.
    pub async fn change_runs(&self, sweep: &str, numbers: Vec<u32>, intent: Intent) -> Result<Changes> {
        if numbers.len() > NAMED {
            let problem = format!("names more than {NAMED} runs");
            return Err(UseCaseError::Question { part: "numbers", problem });
        }
        let Some(changes) = self.store.runs_change(sweep, numbers, intent.clone()).await? else {
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

    /// What decides whether run `number` of the sweep is trained.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep), [`NoSuchRun`](UseCaseError::NoSuchRun).
    pub async fn explain(&self, sweep: &str, number: u32) -> Result<Explanation> {
        let silent_ms = i64::from(self.terms.lease_ms);
        if let Some(explanation) = self.store.run_explain(sweep, number, silent_ms).await? {
            return Ok(explanation);
        }
        self.check_sweep(sweep).await?;
        Err(UseCaseError::NoSuchRun { sweep: sweep.to_owned(), number })
    }
}
