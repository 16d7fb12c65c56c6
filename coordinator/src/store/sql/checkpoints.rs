//! What runs can resume from.

use sqlx::Row as _;

use super::blobs;
use super::columns::unsigned;
use super::dialect::{Connection, among, for_update};
use super::fence::{self, held, is_held};
use super::ids::Ids;
use super::progress::{acked_seq, check_step};
use crate::store::rules::{CHECKPOINTS, storable};
use crate::store::{AttemptRef, Checkpoint, Result, RunId, StoreError};

/// Makes an uploaded blob what the run resumes from.
pub(super) async fn commit(
    tx: &mut Connection,
    attempt: AttemptRef,
    checkpoint: &Checkpoint,
    last_seq: u64,
    now_ms: i64,
) -> Result<()> {
    own(tx, attempt, checkpoint.step).await?;
    let acked_seq = acked_seq(tx, attempt).await?;
    // A worker that resumes here does not report again what came before: all of that has to be durable.
    if acked_seq < last_seq {
        return Err(StoreError::Conflict(format!(
            "{acked_seq} of the {last_seq} points before the checkpoint are durable"
        )));
    }
    // Changes the blob's row, so that a collection of garbage that runs at the same time sees that the blob is needed.
    let blob = blobs::touch(tx, &checkpoint.sha256, now_ms).await?;
    if blob.is_none_or(|(_, bytes)| bytes != checkpoint.bytes) {
        return Err(StoreError::Conflict(format!(
            "the checkpoint's blob `{}` is not there",
            checkpoint.sha256
        )));
    }
    insert(tx, attempt, checkpoint, now_ms).await?;
    drop_all_but(tx, attempt.run, CHECKPOINTS, now_ms).await
}

/// Proves that the attempt holds its run, and that the run has this step. A checkpoint beyond all others is progress:
/// losses and faults of machines are counted from there.
async fn own(tx: &mut Connection, attempt: AttemptRef, step: u64) -> Result<()> {
    let owned = held(
        concat!(
            "update runs set losses = case when $4 > newest.step then 0 else losses end,
                             faults_after = case when $4 > newest.step then attempt - 1 else faults_after end
             from (select coalesce(max(step), 0) as step from checkpoints
                   where run_id = $1 and state = 'committed') as newest
             where ",
            is_held!(),
            " returning total_steps"
        ),
        attempt,
    )
    .bind(step.cast_signed())
    .fetch_optional(tx)
    .await?
    .ok_or(StoreError::Fenced(attempt))?;
    check_step(step, &owned)
}

/// Adds the checkpoint, or replaces the run's checkpoint of the same step.
async fn insert(
    tx: &mut Connection,
    attempt: AttemptRef,
    checkpoint: &Checkpoint,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "insert into checkpoints (run_id, step, sha256, bytes, attempt, committed_ms) values ($1, $2, $3, $4, $5, $6)
         on conflict (run_id, step) do update set sha256 = excluded.sha256, bytes = excluded.bytes,
             attempt = excluded.attempt, committed_ms = excluded.committed_ms, state = 'committed', reason = null",
    )
    .bind(attempt.run)
    .bind(checkpoint.step.cast_signed())
    .bind(&checkpoint.sha256)
    .bind(checkpoint.bytes.cast_signed())
    .bind(i64::from(attempt.number))
    .bind(now_ms)
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes a checkpoint out of use that the run cannot go on from. Its blob is kept: another version may read it.
pub(super) async fn reject(
    tx: &mut Connection,
    attempt: AttemptRef,
    sha256: &str,
    reason: &str,
) -> Result<()> {
    fence::check(tx, attempt).await?;
    sqlx::query("update checkpoints set state = 'rejected', reason = $3 where run_id = $1 and sha256 = $2")
        .bind(attempt.run)
        .bind(sha256)
        .bind(storable(reason))
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets all checkpoints of these runs, also those on workers' machines, and all their artifacts. The blobs count as used
/// until now.
pub(super) async fn forget(tx: &mut Connection, runs: &Ids, now_ms: i64) -> Result<()> {
    sqlx::query(concat!("update runs set void_attempts = attempt where id ", among!("$1")))
        .bind(runs.as_json())
        .execute(&mut *tx)
        .await?;
    sqlx::query(concat!(
        "update blobs set last_used_ms = $2 where sha256 in
            (select b.sha256 from blobs b
             where exists (select 1 from checkpoints c
                           where c.sha256 = b.sha256 and c.state = 'committed' and c.run_id ",
        among!("$1"),
        ") or exists (select 1 from artifacts a where a.sha256 = b.sha256 and a.run_id ",
        among!("$1"),
        ") order by b.sha256",
        for_update!(),
        ")"
    ))
    .bind(runs.as_json())
    .bind(now_ms)
    .execute(&mut *tx)
    .await?;
    for forgotten in [
        concat!("delete from checkpoints where run_id ", among!("$1")),
        concat!("delete from artifacts where run_id ", among!("$1")),
    ] {
        sqlx::query(forgotten).bind(runs.as_json()).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Forgets the run's committed checkpoints but the newest `keep`. Their blobs count as used until now.
pub(super) async fn drop_all_but(tx: &mut Connection, run: RunId, keep: usize, now_ms: i64) -> Result<()> {
    let dropped = sqlx::query_scalar::<_, String>(
        "delete from checkpoints where run_id = $1 and state = 'committed' and step not in
            (select step from checkpoints where run_id = $1 and state = 'committed' order by step desc limit $2)
         returning sha256",
    )
    .bind(run)
    .bind(i64::try_from(keep).unwrap_or(i64::MAX))
    .fetch_all(&mut *tx)
    .await?;
    for sha256 in dropped {
        sqlx::query("update blobs set last_used_ms = $2 where sha256 = $1")
            .bind(sha256)
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// The step of the newest checkpoint that the run may resume from, 0 if there is none.
pub(super) async fn newest_step(reader: &mut Connection, run: RunId) -> Result<u64> {
    let newest = sqlx::query(
        "select coalesce(max(step), 0) as step from checkpoints where run_id = $1 and state = 'committed'",
    )
    .bind(run)
    .fetch_one(reader)
    .await?;
    unsigned(&newest, "step")
}

/// The checkpoints that the run may resume from, newest first.
pub(super) async fn of_run(tx: &mut Connection, run: RunId) -> Result<Vec<Checkpoint>> {
    let rows = sqlx::query(
        "select step, sha256, bytes from checkpoints where run_id = $1 and state = 'committed' order by step desc",
    )
    .bind(run)
    .fetch_all(tx)
    .await?;
    let checkpoint = |row| {
        Ok(Checkpoint {
            step: unsigned(row, "step")?,
            sha256: row.try_get("sha256")?,
            bytes: unsigned(row, "bytes")?,
        })
    };
    rows.iter().map(checkpoint).collect()
}
