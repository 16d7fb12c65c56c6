//! A run whose attempt ends: what it is charged with, which decides what becomes of it.

use acai_sweep::run::{Desired, Interruption};
use sqlx::Row as _;

use super::super::columns::{desired, unsigned};
use super::super::dialect::Connection;
use crate::store::outcome::Outcome;
use crate::store::{AttemptRef, Result, RunId, StoreError, SweepId};

/// A run that is held by the attempt that ends.
pub(super) struct HeldRun {
    pub(super) sweep_id: SweepId,
    /// The failures that the run is charged with.
    pub(super) failures: u32,
    /// The workers that fell silent since the run's last checkpoint.
    pub(super) losses: u32,
    /// What a person has asked for while the run is trained.
    pub(super) desired: Option<Desired>,
    max_restarts: u32,
    max_lost_workers: u32,
}

impl HeldRun {
    /// The run of the attempt; [`StoreError::Fenced`] if the attempt does not hold it.
    pub(super) async fn fetch(tx: &mut Connection, attempt: AttemptRef) -> Result<HeldRun> {
        let row = sqlx::query(
            "select r.sweep_id, r.failures, r.losses, r.desired, s.max_restarts, s.max_lost_workers
             from runs r join sweeps s on s.id = r.sweep_id
             where r.id = $1 and r.attempt = $2 and r.state = 'running'",
        )
        .bind(attempt.run)
        .bind(i64::from(attempt.number))
        .fetch_optional(tx)
        .await?
        .ok_or(StoreError::Fenced(attempt))?;
        Ok(HeldRun {
            sweep_id: row.try_get("sweep_id")?,
            failures: unsigned(&row, "failures")?,
            losses: unsigned(&row, "losses")?,
            desired: desired(&row)?,
            max_restarts: unsigned(&row, "max_restarts")?,
            max_lost_workers: unsigned(&row, "max_lost_workers")?,
        })
    }

    /// Charges the run, and notes whatever else later attempts depend on, as the outcome of this attempt says; answers
    /// what that means for the run.
    pub(super) async fn charge(
        &mut self,
        tx: &mut Connection,
        attempt: AttemptRef,
        outcome: Outcome,
    ) -> Result<Interruption> {
        Ok(match outcome {
            Outcome::Diverged => {
                self.failures += 1;
                Interruption::Diverged
            }
            Outcome::Failed => {
                self.failures += 1;
                Interruption::Failed { failures: self.failures, max_restarts: self.max_restarts }
            }
            Outcome::Lost => {
                self.losses += 1;
                Interruption::Lost { losses: self.losses, max_lost_workers: self.max_lost_workers }
            }
            Outcome::MachineFault => Interruption::MachineFault { machines: note_fault(tx, attempt).await? },
            Outcome::GroupFault => {
                train_alone(tx, attempt.run).await?;
                Interruption::Released
            }
            Outcome::Released => Interruption::Released,
        })
    }
}

/// Notes the fault of the attempt's machine; answers how many machines could not train the run since it had a new
/// checkpoint, or a person asked for it again.
async fn note_fault(tx: &mut Connection, attempt: AttemptRef) -> Result<u32> {
    sqlx::query("update attempts set machine_fault = true where run_id = $1 and number = $2")
        .bind(attempt.run)
        .bind(i64::from(attempt.number))
        .execute(&mut *tx)
        .await?;
    let row = sqlx::query(
        "select count(distinct w.name) as machines
         from attempts a
         join runs r on r.id = a.run_id
         join workers w on w.id = a.worker_id
         where a.run_id = $1 and a.machine_fault = true and a.number > r.faults_after",
    )
    .bind(attempt.run)
    .fetch_one(tx)
    .await?;
    unsigned(&row, "machines")
}

/// Notes that the run is to join no group from now on.
async fn train_alone(tx: &mut Connection, run: RunId) -> Result<()> {
    sqlx::query("update runs set alone = true where id = $1").bind(run).execute(tx).await?;
    Ok(())
}
