//! How attempts end.

use acai_sweep::run::{Interruption, RunState, after};
use sqlx::Row as _;

use super::columns::{desired, state, storable, unsigned};
use super::dialect::{Connection, for_update};
use super::events::{self, Cause};
use super::failure_limit::pause_if_too_many_failed;
use super::fence;
use super::ids::Ids;
use super::locks;
use super::progress::acked_seq;
use crate::store::{AttemptRef, Result, StoreError};

pub(super) async fn complete(
    tx: &mut Connection,
    attempt: AttemptRef,
    step: u64,
    last_seq: u64,
    now_ms: i64,
) -> Result<()> {
    if !end(tx, attempt, "completed", None, now_ms).await? {
        return Ok(());
    }
    // A person who wanted it cancelled or paused was too late: what ends a run first stands.
    let row = sqlx::query(
        "update runs set state = 'completed', lease_expires_ms = null, desired = null, step = $3, finished_ms = $4
         where id = $1 and attempt = $2 and state = 'running' returning total_steps, sweep_id",
    )
    .bind(attempt.run.cast_signed())
    .bind(i64::from(attempt.number))
    .bind(step.cast_signed())
    .bind(now_ms)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(StoreError::Fenced(attempt))?;
    let total_steps: u64 = unsigned(&row, "total_steps")?;
    let acked_seq = acked_seq(tx, attempt).await?;
    if step != total_steps {
        return Err(StoreError::Conflict(format!("the run has {total_steps} steps, not {step}")));
    }
    if acked_seq != last_seq {
        return Err(StoreError::Conflict(format!(
            "{acked_seq} of its points are durable, but it says that it reported {last_seq}"
        )));
    }
    let run = Ids::new([attempt.run.cast_signed()]);
    events::note(tx, row.try_get("sweep_id")?, &run, Cause::Attempt, None, now_ms).await
}

/// Ends an attempt by the run's own fault, unless points are gone that it was told are durable: what it was judged by is not
/// all there then.
pub(super) async fn fail(
    tx: &mut Connection,
    attempt: AttemptRef,
    outcome: Outcome,
    message: &str,
    last_seq: u64,
    now_ms: i64,
) -> Result<RunState> {
    let next = interrupt(tx, attempt, outcome, Some(message), now_ms).await?;
    let acked_seq = acked_seq(tx, attempt).await?;
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
    let message = message.map(storable);
    let message = message.as_deref();
    if !end(tx, attempt, outcome.as_str(), message, now_ms).await? {
        let row = sqlx::query("select state from runs where id = $1")
            .bind(attempt.run.cast_signed())
            .fetch_one(tx)
            .await?;
        return state(&row);
    }
    let row = sqlx::query(
        "select r.sweep_id, r.failures, r.losses, r.desired, s.max_restarts, s.max_lost_workers
         from runs r join sweeps s on s.id = r.sweep_id
         where r.id = $1 and r.attempt = $2 and r.state = 'running'",
    )
    .bind(attempt.run.cast_signed())
    .bind(i64::from(attempt.number))
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(StoreError::Fenced(attempt))?;
    let (mut failures, mut losses): (u32, u32) = (unsigned(&row, "failures")?, unsigned(&row, "losses")?);
    let interruption = match outcome {
        Outcome::Diverged => {
            failures += 1;
            Interruption::Diverged
        }
        Outcome::Failed => {
            failures += 1;
            Interruption::Failed { failures, max_restarts: unsigned(&row, "max_restarts")? }
        }
        Outcome::Lost => {
            losses += 1;
            Interruption::Lost { losses, max_lost_workers: unsigned(&row, "max_lost_workers")? }
        }
        Outcome::MachineFault => Interruption::MachineFault { machines: note_fault(tx, attempt).await? },
        Outcome::GroupFault => {
            train_alone(tx, attempt.run).await?;
            Interruption::Released
        }
        Outcome::Released => Interruption::Released,
    };
    let next = after(interruption, desired(&row)?);
    let said = message.unwrap_or_default();
    let message = match (next, interruption) {
        (RunState::Lost, Interruption::MachineFault { machines }) => Some(format!(
            "{machines} machines could not train it, with no checkpoint between; the last one: {said}"
        )),
        (RunState::Lost, _) => {
            Some(format!("{losses} workers fell silent while they trained it, with no checkpoint between"))
        }
        (_, Interruption::Failed { .. } | Interruption::Diverged) => message.map(str::to_owned),
        _ => None,
    };
    let changed = sqlx::query(
        "update runs set state = $3, lease_expires_ms = null, desired = null, failures = $4, losses = $5,
                         message = coalesce($6, message), finished_ms = case when $7 then $8 end
         where id = $1 and attempt = $2 and state = 'running'",
    )
    .bind(attempt.run.cast_signed())
    .bind(i64::from(attempt.number))
    .bind(next.as_str())
    .bind(i64::from(failures))
    .bind(i64::from(losses))
    .bind(&message)
    .bind(next.is_terminal())
    .bind(now_ms)
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(StoreError::Fenced(attempt));
    }
    let (sweep_id, run) = (row.try_get("sweep_id")?, Ids::new([attempt.run.cast_signed()]));
    let remark = message.or_else(|| outcome.remark(said));
    events::note(tx, sweep_id, &run, Cause::Attempt, remark.as_deref(), now_ms).await?;
    if matches!(next, RunState::Failed | RunState::Lost) {
        pause_if_too_many_failed(tx, sweep_id).await?;
    }
    Ok(next)
}

/// How an attempt ended without completing its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Diverged,
    Failed,
    Lost,
    Released,
    /// Its machine could not train it.
    MachineFault,
    /// The trainer of its group broke down, by nobody knows which of its runs.
    GroupFault,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Outcome::Diverged => "diverged",
            Outcome::Failed => "failed",
            Outcome::Lost => "lost",
            Outcome::Released | Outcome::MachineFault | Outcome::GroupFault => "released",
        }
    }

    /// For the list of events, after what the worker `said`.
    fn remark(self, said: &str) -> Option<String> {
        match self {
            Outcome::Lost => Some("its worker fell silent".to_owned()),
            Outcome::Released => Some("given back".to_owned()),
            Outcome::MachineFault => Some(format!("given back, its machine could not train it: {said}")),
            Outcome::GroupFault => {
                Some(format!("given back to be trained alone, the trainer of its group broke down: {said}"))
            }
            Outcome::Diverged | Outcome::Failed => None,
        }
    }
}

/// Notes the fault of the attempt's machine; answers how many machines could not train the run since it had a new
/// checkpoint, or a person asked for it again.
async fn note_fault(tx: &mut Connection, attempt: AttemptRef) -> Result<u32> {
    sqlx::query("update attempts set machine_fault = true where run_id = $1 and number = $2")
        .bind(attempt.run.cast_signed())
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
    .bind(attempt.run.cast_signed())
    .fetch_one(tx)
    .await?;
    unsigned(&row, "machines")
}

/// From now on the run joins no group.
async fn train_alone(tx: &mut Connection, run: u64) -> Result<()> {
    sqlx::query("update runs set alone = true where id = $1").bind(run.cast_signed()).execute(tx).await?;
    Ok(())
}

/// Marks the attempt ended. False: it has ended so before, and this is a repeated call.
async fn end(
    tx: &mut Connection,
    attempt: AttemptRef,
    outcome: &str,
    message: Option<&str>,
    now_ms: i64,
) -> Result<bool> {
    locks::run(tx, attempt.run).await?;
    let row = sqlx::query(concat!(
        "select outcome, token from attempts where run_id = $1 and number = $2",
        for_update!()
    ))
    .bind(attempt.run.cast_signed())
    .bind(i64::from(attempt.number))
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(StoreError::Fenced(attempt))?;
    if !fence::matches(attempt, row.try_get("token")?) {
        return Err(StoreError::Fenced(attempt));
    }
    match row.try_get::<Option<&str>, _>("outcome")? {
        Some(before) if before == outcome => return Ok(false),
        Some(_) => return Err(StoreError::Fenced(attempt)),
        None => {}
    }
    sqlx::query(
        "update attempts set ended_ms = $3, outcome = $4, message = $5 where run_id = $1 and number = $2",
    )
    .bind(attempt.run.cast_signed())
    .bind(i64::from(attempt.number))
    .bind(now_ms)
    .bind(outcome)
    .bind(message)
    .execute(tx)
    .await?;
    Ok(true)
}

/// Adds an event that tells people something of a running attempt, unless it was the last that was told of the run.
pub(super) async fn tell(tx: &mut Connection, attempt: AttemptRef, message: &str, now_ms: i64) -> Result<()> {
    locks::run(tx, attempt.run).await?;
    fence::check(tx, attempt).await?;
    let message = storable(message);
    let last: Option<Option<String>> =
        sqlx::query_scalar("select message from events where run_id = $1 order by number desc limit 1")
            .bind(attempt.run.cast_signed())
            .fetch_optional(&mut *tx)
            .await?;
    if last.flatten().as_deref() == Some(message.as_str()) {
        return Ok(());
    }
    let sweep_id: i64 = sqlx::query_scalar("select sweep_id from runs where id = $1")
        .bind(attempt.run.cast_signed())
        .fetch_one(&mut *tx)
        .await?;
    let run = Ids::new([attempt.run.cast_signed()]);
    events::note(tx, sweep_id, &run, Cause::Attempt, Some(&message), now_ms).await
}
