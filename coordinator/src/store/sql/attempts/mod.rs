//! How attempts end, and what becomes of their runs.

mod held_run;

use acai_sweep::run::{RunState, after};
use sqlx::Row as _;

use super::checkpoints;
use super::columns::{state, unsigned};
use super::dialect::{Connection, for_update};
use super::events::{self, Cause};
use super::failure_limit::pause_if_too_many_failed;
use super::fence;
use super::ids::Ids;
use super::progress;
use super::results;
use crate::store::outcome::{Outcome, lasting_message};
use crate::store::rules::storable;
use crate::store::{AttemptRef, Result, RunId, StoreError};
use held_run::HeldRun;

/// Ends a run that has all its steps, and whose points up to `last_seq` are durable.
pub(super) async fn complete(
    tx: &mut Connection,
    attempt: AttemptRef,
    step: u64,
    last_seq: u64,
    now_ms: i64,
) -> Result<()> {
    let Some(Ending { acked_seq, .. }) = end(tx, attempt, "completed", None, now_ms).await? else {
        return Ok(());
    };
    // A person who wanted the run to be cancelled or paused was too late: the first end of a run stands.
    let row = sqlx::query(
        "update runs set state = 'completed', lease_expires_ms = null, desired = null, step = $3, finished_ms = $4
         where id = $1 and attempt = $2 and state = 'running'
         returning total_steps, sweep_id, exists (select 1 from checkpoints where run_id = $1) as has_checkpoints",
    )
    .bind(attempt.run)
    .bind(i64::from(attempt.number))
    .bind(step.cast_signed())
    .bind(now_ms)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(StoreError::Fenced(attempt))?;
    let total_steps: u64 = unsigned(&row, "total_steps")?;
    if step != total_steps {
        return Err(StoreError::Conflict(format!("the run has {total_steps} steps, not {step}")));
    }
    if acked_seq != last_seq {
        return Err(StoreError::Conflict(format!(
            "{acked_seq} of its points are durable, but it says that it reported {last_seq}"
        )));
    }
    results::keep(tx, attempt.run).await?;
    // A run that is not trained any more needs no other one, should the last turn out damaged.
    if row.try_get("has_checkpoints")? {
        checkpoints::drop_all_but(tx, attempt.run, 1, now_ms).await?;
    }
    let run = Ids::new([attempt.run]);
    events::note(tx, row.try_get("sweep_id")?, &run, Cause::Attempt, None, now_ms).await
}

/// Ends an attempt by the run's own fault. Refused if points up to `last_seq`, which were acknowledged, are gone: the
/// run is not judged by what is not all there.
pub(super) async fn fail(
    tx: &mut Connection,
    attempt: AttemptRef,
    outcome: Outcome,
    message: &str,
    last_seq: u64,
    now_ms: i64,
) -> Result<RunState> {
    let next = interrupt(tx, attempt, outcome, Some(message), now_ms).await?;
    let acked_seq = progress::acked_seq(tx, attempt).await?;
    if acked_seq < last_seq {
        return Err(StoreError::Conflict(format!(
            "{acked_seq} of its points are durable, but it says that {last_seq} were acknowledged"
        )));
    }
    Ok(next)
}

/// Ends an attempt that did not complete its run, as `outcome` says; answers what became of the run.
pub(super) async fn interrupt(
    tx: &mut Connection,
    attempt: AttemptRef,
    outcome: Outcome,
    message: Option<&str>,
    now_ms: i64,
) -> Result<RunState> {
    let said = message.map(storable);
    let said = said.as_deref();
    if end(tx, attempt, outcome.as_str(), said, now_ms).await?.is_none() {
        return current_state(tx, attempt.run).await;
    }
    let mut run = HeldRun::fetch(tx, attempt).await?;
    let interruption = run.charge(tx, attempt, outcome).await?;
    let next = after(interruption, run.desired);
    let message = lasting_message(next, interruption, said);
    take_back(tx, attempt, &run, next, message.as_deref(), now_ms).await?;
    let remark = message.or_else(|| outcome.remark(said.unwrap_or_default()));
    let id = Ids::new([attempt.run]);
    events::note(tx, run.sweep_id, &id, Cause::Attempt, remark.as_deref(), now_ms).await?;
    if matches!(next, RunState::Failed | RunState::Lost) {
        pause_if_too_many_failed(tx, run.sweep_id).await?;
    }
    Ok(next)
}

/// What became of a run whose attempt has ended before.
async fn current_state(tx: &mut Connection, run: RunId) -> Result<RunState> {
    let row = sqlx::query("select state from runs where id = $1").bind(run).fetch_one(tx).await?;
    state(&row)
}

/// Moves a run from the attempt that holds it into its next state.
async fn take_back(
    tx: &mut Connection,
    attempt: AttemptRef,
    run: &HeldRun,
    next: RunState,
    message: Option<&str>,
    now_ms: i64,
) -> Result<()> {
    let changed = sqlx::query(
        "update runs set state = $3, lease_expires_ms = null, desired = null, failures = $4, losses = $5,
                         message = coalesce($6, message), finished_ms = case when $7 then $8 end,
                         queued_ms = case when $3 = 'queued' then $8 else queued_ms end
         where id = $1 and attempt = $2 and state = 'running'",
    )
    .bind(attempt.run)
    .bind(i64::from(attempt.number))
    .bind(next.as_str())
    .bind(i64::from(run.failures))
    .bind(i64::from(run.losses))
    .bind(message)
    .bind(next.is_terminal())
    .bind(now_ms)
    .execute(tx)
    .await?;
    if changed.rows_affected() == 0 { Err(StoreError::Fenced(attempt)) } else { Ok(()) }
}

/// An attempt that has just ended.
struct Ending {
    /// Its points 1 to this number are durable.
    acked_seq: u64,
}

/// The attempt `$2` of run `$1`, locked after its sweep and its run, so that what is read is as it is under the locks.
const LOCKED: &str = concat!(
    "select a.outcome, a.token, a.acked_seq
     from sweeps s join runs r on r.sweep_id = s.id join attempts a on a.run_id = r.id
     where r.id = $1 and a.number = $2",
    for_update!()
);

/// Marks the attempt as ended; `None` if it has ended with this outcome before: then the call is a repeated one.
async fn end(
    tx: &mut Connection,
    attempt: AttemptRef,
    outcome: &str,
    message: Option<&str>,
    now_ms: i64,
) -> Result<Option<Ending>> {
    let row = sqlx::query(LOCKED)
        .bind(attempt.run)
        .bind(i64::from(attempt.number))
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(StoreError::Fenced(attempt))?;
    if !fence::matches(attempt, row.try_get("token")?) {
        return Err(StoreError::Fenced(attempt));
    }
    match row.try_get::<Option<&str>, _>("outcome")? {
        Some(before) if before == outcome => return Ok(None),
        Some(_) => return Err(StoreError::Fenced(attempt)),
        None => {}
    }
    sqlx::query(
        "update attempts set ended_ms = $3, outcome = $4, message = $5 where run_id = $1 and number = $2",
    )
    .bind(attempt.run)
    .bind(i64::from(attempt.number))
    .bind(now_ms)
    .bind(outcome)
    .bind(message)
    .execute(tx)
    .await?;
    Ok(Some(Ending { acked_seq: unsigned(&row, "acked_seq")? }))
}
