//! Files that runs leave for people.

use sqlx::Row as _;

use super::blobs;
use super::columns::unsigned;
use super::dialect::{Connection, Row, is_one_of};
use super::fence;
use crate::store::rules::ARTIFACTS;
use crate::store::{Artifact, ArtifactPlace, ArtifactRecord, AttemptRef, Result, RunId, StoreError};

/// Makes an uploaded blob an artifact of the attempt's run, in place of an earlier one of that name and step.
pub(super) async fn add(
    tx: &mut Connection,
    attempt: AttemptRef,
    artifact: &Artifact,
    now_ms: i64,
) -> Result<()> {
    fence::check_latest(tx, attempt).await?;
    keep(tx, (attempt.run, attempt.number), artifact, now_ms).await
}

/// As [`add`], of a run and the number of the attempt that has brought it, whoever says so.
pub(super) async fn keep(
    tx: &mut Connection,
    (run, attempt): (RunId, u32),
    artifact: &Artifact,
    now_ms: i64,
) -> Result<()> {
    let others = sqlx::query_scalar::<_, i64>(
        "select count(*) from artifacts where run_id = $1 and not (name = $2 and step = $3)",
    );
    let others =
        others.bind(run).bind(&artifact.name).bind(artifact.step.cast_signed()).fetch_one(&mut *tx).await?;
    if others.cast_unsigned() >= ARTIFACTS {
        return Err(StoreError::Conflict(format!(
            "the run has {others} artifacts, and may have {ARTIFACTS}"
        )));
    }
    // Changes the row, so that a collection of garbage that runs at the same time sees that the blob is needed.
    let blob = blobs::touch(tx, &artifact.sha256, now_ms).await?;
    if blob.is_none_or(|(_, bytes)| bytes != artifact.bytes) {
        return Err(StoreError::Conflict(format!("the artifact's blob `{}` is not there", artifact.sha256)));
    }
    sqlx::query(
        "insert into artifacts (run_id, name, step, sha256, bytes, attempt, added_ms) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (run_id, name, step) do update set sha256 = excluded.sha256, bytes = excluded.bytes,
             attempt = excluded.attempt, added_ms = excluded.added_ms",
    )
    .bind(run)
    .bind(&artifact.name)
    .bind(artifact.step.cast_signed())
    .bind(&artifact.sha256)
    .bind(artifact.bytes.cast_signed())
    .bind(i64::from(attempt))
    .bind(now_ms)
    .execute(tx)
    .await?;
    Ok(())
}

/// Artifacts of the sweep's runs in the order of the runs' numbers, steps and names, after a place, at most `most`: of the
/// runs of these numbers, also such as were set aside, or if there are none of all that are in the plan.
pub(super) async fn list(
    reader: &mut Connection,
    sweep: &str,
    numbers: &[u32],
    after: Option<&ArtifactPlace>,
    most: u32,
) -> Result<Vec<ArtifactRecord>> {
    let rows = sqlx::query(concat!(
        "select r.number, a.name, a.step, a.sha256, a.bytes, a.attempt, a.added_ms
         from artifacts a
         join runs r on r.id = a.run_id
         where r.sweep_id = (select id from sweeps where name = $1)
           and ($2 = '[]' and r.in_plan = true or r.number ",
        is_one_of!("$2"),
        ") and (r.number, a.step, a.name) > ($3, $4, $5)
         order by r.number, a.step, a.name limit $6"
    ))
    .bind(sweep)
    .bind(serde_json::json!(numbers).to_string())
    .bind(after.map_or(-1, |after| i64::from(after.number)))
    .bind(after.map_or(-1, |after| after.step.cast_signed()))
    .bind(after.map_or("", |after| after.name.as_str()))
    .bind(i64::from(most))
    .fetch_all(reader)
    .await?;
    rows.iter().map(record).collect()
}

fn record(row: &Row) -> Result<ArtifactRecord> {
    Ok(ArtifactRecord {
        number: unsigned(row, "number")?,
        artifact: Artifact {
            name: row.try_get("name")?,
            step: unsigned(row, "step")?,
            sha256: row.try_get("sha256")?,
            bytes: unsigned(row, "bytes")?,
        },
        attempt: unsigned(row, "attempt")?,
        added_ms: row.try_get("added_ms")?,
    })
}
