//! Everything about one run.

use std::collections::BTreeMap;

use acai_sweep::results::Summary;
use sqlx::Row as _;

use super::columns::{summary, unsigned};
use super::dialect::{Connection, Row};
use super::runs;
use crate::store::{AttemptRecord, Checkpoint, Result, RunDetails, RunId, StoredCheckpoint};

/// The run of this number in the sweep, in its plan or set aside.
pub(super) async fn fetch(reader: &mut Connection, sweep: &str, number: u32) -> Result<Option<RunDetails>> {
    let found = sqlx::query(
        "select id, in_plan from runs where sweep_id = (select id from sweeps where name = $1) and number = $2",
    );
    let found = found.bind(sweep).bind(i64::from(number)).fetch_optional(&mut *reader).await?;
    let Some(found) = found else { return Ok(None) };
    let id = found.try_get("id")?;
    let Some(run) = runs::fetch(reader, id).await? else { return Ok(None) };
    Ok(Some(RunDetails {
        run,
        set_aside: !found.try_get::<bool, _>("in_plan")?,
        attempts: attempts(reader, id).await?,
        summaries: summaries(reader, id).await?,
        checkpoints: checkpoints(reader, id).await?,
    }))
}

/// The run's attempts, in order, each with the last step that it has points of.
async fn attempts(reader: &mut Connection, run: RunId) -> Result<Vec<AttemptRecord>> {
    let rows = sqlx::query(
        "select a.number, a.started_ms, a.ended_ms, a.outcome, a.message, a.replay_mismatches,
                w.name as worker, w.version, w.hardware, m.step
         from attempts a
         join workers w on w.id = a.worker_id
         left join (select attempt, max(step) as step from metrics where run_id = $1 group by attempt) m
              on m.attempt = a.number
         where a.run_id = $1 order by a.number",
    )
    .bind(run)
    .fetch_all(reader)
    .await?;
    let attempt = |row: &Row| {
        Ok(AttemptRecord {
            number: unsigned(row, "number")?,
            worker: row.try_get("worker")?,
            version: row.try_get("version")?,
            hardware: row.try_get("hardware")?,
            started_ms: row.try_get("started_ms")?,
            ended_ms: row.try_get("ended_ms")?,
            outcome: row.try_get("outcome")?,
            message: row.try_get("message")?,
            replay_mismatches: unsigned(row, "replay_mismatches")?,
            step: row.try_get::<Option<i64>, _>("step")?.map(i64::cast_unsigned),
        })
    };
    rows.iter().map(attempt).collect()
}

/// The summaries of the run's metrics, by name.
async fn summaries(reader: &mut Connection, run: RunId) -> Result<BTreeMap<String, Summary>> {
    let rows = sqlx::query("select name, last, min, max, sum, count from summaries where run_id = $1");
    let rows = rows.bind(run).fetch_all(reader).await?;
    rows.iter().map(|row| Ok((row.try_get("name")?, summary(row)?))).collect()
}

/// The run's checkpoints, newest first, also those that were taken out of use.
async fn checkpoints(reader: &mut Connection, run: RunId) -> Result<Vec<StoredCheckpoint>> {
    let rows = sqlx::query(
        "select step, sha256, bytes, attempt, committed_ms, reason from checkpoints where run_id = $1 order by step desc",
    );
    let rows = rows.bind(run).fetch_all(reader).await?;
    let checkpoint = |row: &Row| {
        Ok(StoredCheckpoint {
            checkpoint: Checkpoint {
                step: unsigned(row, "step")?,
                sha256: row.try_get("sha256")?,
                bytes: unsigned(row, "bytes")?,
            },
            attempt: unsigned(row, "attempt")?,
            committed_ms: row.try_get("committed_ms")?,
            rejected: row.try_get("reason")?,
        })
    };
    rows.iter().map(checkpoint).collect()
}
