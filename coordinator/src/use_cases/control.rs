//! What people want of runs, and why a run is not trained.

use acai_sweep::control::Intent;

use super::runs::NAMED;
use super::{Result, UseCaseError, UseCases};
use crate::store::{Changes, Explanation, Weight};

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

    /// What a sweep has, and would lose if it were forgotten.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep).
    pub async fn weigh(&self, sweep: &str) -> Result<Weight> {
        match self.store.sweep_weigh(sweep).await? {
            Some(weight) => Ok(weight),
            None => Err(self.no_such_sweep(sweep).await),
        }
    }

    /// Deletes a sweep with all that it has. A call that breaks off has deleted some of its runs; the next one goes on.
    ///
    /// # Errors
    /// [`NoSuchSweep`](UseCaseError::NoSuchSweep); the store's, where runs of it are held.
    pub async fn forget(&self, sweep: &str) -> Result<Weight> {
        let weight = self.weigh(sweep).await?;
        self.store.sweep_forget(sweep).await?;
        let Weight { runs, points, .. } = weight;
        tracing::warn!(sweep, runs, points, "a sweep is forgotten");
        Ok(weight)
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
