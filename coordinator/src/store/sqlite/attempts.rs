//! How attempts end.

use acai_sweep::run::{RunState, after_failure};
use sqlx::{Row, SqliteConnection};

use super::runs::{state, unsigned};
use crate::store::{AttemptRef, Result, StoreError};

pub(super) async fn complete(
    tx: &mut SqliteConnection,
    attempt: AttemptRef,
    step: u64,
    last_seq: u64,
    now_ms: i64,
) -> Result<()> {
    if !end(tx, attempt, "completed", None, now_ms).await? {
        return Ok(());
    }
    let row = sqlx::query(
        "update runs set state = 'completed', lease_expires_ms = null, step = $3, finished_ms = $4
         where id = $1 and attempt = $2 and state = 'running'
         returning total_steps,
             (select acked_seq from attempts where run_id = runs.id and number = runs.attempt) as acked_seq",
    )
    .bind(attempt.run.cast_signed())
    .bind(attempt.number)
    .bind(step.cast_signed())
    .bind(now_ms)
    .fetch_optional(tx)
    .await?
    .ok_or(StoreError::Fenced(attempt))?;
    let (total_steps, acked_seq): (u64, u64) = (unsigned(&row, "total_steps")?, unsigned(&row, "acked_seq")?);
    if step != total_steps {
        return Err(StoreError::Conflict(format!("the run has {total_steps} steps, not {step}")));
    }
    if acked_seq != last_seq {
        return Err(StoreError::Conflict(format!(
            "{acked_seq} of its points are durable, but it says that it reported {last_seq}"
        )));
    }
    Ok(())
}

pub(super) async fn fail(
    tx: &mut SqliteConnection,
    attempt: AttemptRef,
    diverged: bool,
    message: String,
    now_ms: i64,
) -> Result<RunState> {
    let outcome = if diverged { "diverged" } else { "failed" };
    if !end(tx, attempt, outcome, Some(&message), now_ms).await? {
        let row = sqlx::query("select state from runs where id = $1")
            .bind(attempt.run.cast_signed())
            .fetch_one(tx)
            .await?;
        return state(&row);
    }
    let row = sqlx::query(
        "select r.failures, s.max_restarts from runs r join sweeps s on s.id = r.sweep_id
         where r.id = $1 and r.attempt = $2 and r.state = 'running'",
    )
    .bind(attempt.run.cast_signed())
    .bind(attempt.number)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(StoreError::Fenced(attempt))?;
    let failures = unsigned::<u32>(&row, "failures")?.saturating_add(1);
    let next =
        if diverged { RunState::Diverged } else { after_failure(failures, unsigned(&row, "max_restarts")?) };
    sqlx::query(
        "update runs set state = $2, lease_expires_ms = null, failures = $3, message = $4,
                         finished_ms = case when $2 = 'queued' then null else $5 end
         where id = $1",
    )
    .bind(attempt.run.cast_signed())
    .bind(next.as_str())
    .bind(failures)
    .bind(message)
    .bind(now_ms)
    .execute(tx)
    .await?;
    Ok(next)
}

pub(super) async fn release(tx: &mut SqliteConnection, attempt: AttemptRef, now_ms: i64) -> Result<()> {
    if !end(tx, attempt, "released", None, now_ms).await? {
        return Ok(());
    }
    let released = sqlx::query(
        "update runs set state = 'queued', lease_expires_ms = null
         where id = $1 and attempt = $2 and state = 'running'",
    )
    .bind(attempt.run.cast_signed())
    .bind(attempt.number)
    .execute(tx)
    .await?;
    if released.rows_affected() == 0 { Err(StoreError::Fenced(attempt)) } else { Ok(()) }
}

/// Marks the attempt ended. False: it has ended so before, and this is a repeated call.
async fn end(
    tx: &mut SqliteConnection,
    attempt: AttemptRef,
    outcome: &str,
    message: Option<&str>,
    now_ms: i64,
) -> Result<bool> {
    let row = sqlx::query("select outcome from attempts where run_id = $1 and number = $2")
        .bind(attempt.run.cast_signed())
        .bind(attempt.number)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(StoreError::Fenced(attempt))?;
    match row.try_get::<Option<&str>, _>("outcome")? {
        Some(before) if before == outcome => return Ok(false),
        Some(_) => return Err(StoreError::Fenced(attempt)),
        None => {}
    }
    sqlx::query(
        "update attempts set ended_ms = $3, outcome = $4, message = $5 where run_id = $1 and number = $2",
    )
    .bind(attempt.run.cast_signed())
    .bind(attempt.number)
    .bind(now_ms)
    .bind(outcome)
    .bind(message)
    .execute(tx)
    .await?;
    Ok(true)
}
