//! What an attempt reports, and how it ends.

use acai_sweep::run::RunState;

use super::WorkerCalls;
use crate::run_name::run_name;
use crate::store::{Artifact, AttemptRef, Mishap, Point};
use crate::use_cases::{Result, UseCaseError};

/// The end of a training that reached its last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// The last step.
    pub step: u64,
    /// The number of the attempt's last point.
    pub last_seq: u64,
    /// The step of the newest checkpoint that the worker handed over; 0 if there is none.
    pub checkpoint_step: u64,
}

/// The end of an attempt by a fault of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Training left all bounds, and would again.
    pub is_diverged: bool,
    /// For people.
    pub message: String,
    /// The number of the attempt's last point.
    pub last_seq: u64,
}

impl WorkerCalls {
    /// Keeps an attempt's points, of which the first has this number, and the step that training has reached. Answers up to
    /// which number points are durable.
    ///
    /// # Errors
    /// The store's: among them, that the attempt no longer holds the run, or that points are missing before these.
    pub async fn append_points(
        &self,
        attempt: AttemptRef,
        first_seq: u64,
        points: Vec<Point>,
        step: u64,
    ) -> Result<u64> {
        let (before, count) = (first_seq.saturating_sub(1), points.len() as u64);
        let acked_seq = self.store.metrics_append(attempt, first_seq, points, step).await?;
        self.metrics.points_acknowledged.inc_by(acked_seq.saturating_sub(before).min(count));
        Ok(acked_seq)
    }

    /// Ends a run whose training is complete.
    ///
    /// # Errors
    /// [`NoSuchCheckpoint`](UseCaseError::NoSuchCheckpoint), and the store's.
    pub async fn complete(&self, attempt: AttemptRef, end: Completion) -> Result<()> {
        // A database that was restored from a backup since knows nothing of what it had committed.
        if end.checkpoint_step > 0 && self.store.checkpoint_step(attempt.run).await? < end.checkpoint_step {
            return Err(UseCaseError::NoSuchCheckpoint { step: end.checkpoint_step });
        }
        self.store.attempt_complete(attempt, end.step, end.last_seq).await?;
        self.ended("completed");
        let run = run_name(&*self.store, attempt.run).await;
        tracing::info!(%run, id = %attempt.run, attempt = attempt.number, "run completed");
        Ok(())
    }

    /// Ends an attempt that failed; answers the state that its run has now.
    ///
    /// # Errors
    /// The store's.
    pub async fn fail(&self, attempt: AttemptRef, failure: Failure) -> Result<RunState> {
        let Failure { is_diverged, message, last_seq } = failure;
        let state = self.store.attempt_fail(attempt, is_diverged, message.clone(), last_seq).await?;
        self.ended(if is_diverged { "diverged" } else { "failed" });
        let run = run_name(&*self.store, attempt.run).await;
        tracing::warn!(%run, id = %attempt.run, attempt = attempt.number, %state, message, "attempt failed");
        Ok(state)
    }

    /// Gives a run back, with what went wrong if something did.
    ///
    /// # Errors
    /// The store's.
    pub async fn release(&self, attempt: AttemptRef, mishap: Option<Mishap>) -> Result<()> {
        let state = match mishap.clone() {
            None => self.store.attempt_release(attempt).await?,
            Some(mishap) => self.store.attempt_release_after(attempt, mishap).await?,
        };
        self.ended(match mishap {
            None => "released",
            Some(Mishap::MachineFault(_)) => "machine_fault",
            Some(Mishap::GroupFault(_)) => "group_fault",
        });
        let run = run_name(&*self.store, attempt.run).await;
        tracing::info!(%run, id = %attempt.run, attempt = attempt.number, %state, ?mishap, "run given back");
        Ok(())
    }

    /// Keeps a file that an attempt made, whose bytes were uploaded before.
    ///
    /// # Errors
    /// The store's.
    pub async fn add_artifact(&self, attempt: AttemptRef, artifact: Artifact) -> Result<()> {
        Ok(self.store.artifact_add(attempt, artifact).await?)
    }

    fn ended(&self, outcome: &'static str) {
        self.metrics.attempts_ended.get_or_create(&[("outcome", outcome)]).inc();
    }
}
