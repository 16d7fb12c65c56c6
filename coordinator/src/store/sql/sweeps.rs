//! Sweeps and their progress, read.

use sqlx::Row as _;

use super::columns::{state, unsigned, words_from_json};
use super::dialect::{Connection, Row};
use crate::store::{Overview, Result, StoredFile, SweepId, SweepRecord};

/// Reads the columns that [`overview`] takes, and further columns.
macro_rules! select_sweeps {
    ($columns:literal, $rest:literal) => {
        concat!(
            "select id, name, description, tags, priority, max_concurrent, submitted_ms, paused, last_event",
            $columns,
            ", (select cast(coalesce(sum(a.replay_mismatches), 0) as bigint)
                from attempts a join runs r on r.id = a.run_id where r.sweep_id = sweeps.id) as replay_mismatches
             from sweeps ",
            $rest
        )
    };
}

/// Every sweep with its progress, newest first.
pub(super) async fn list(reader: &mut Connection) -> Result<Vec<Overview>> {
    let rows = sqlx::query(select_sweeps!("", "order by submitted_ms desc, id desc"))
        .fetch_all(&mut *reader)
        .await?;
    let mut sweeps = Vec::with_capacity(rows.len());
    for row in &rows {
        sweeps.push(overview(reader, row).await?);
    }
    Ok(sweeps)
}

/// One sweep with its progress and its file.
pub(super) async fn fetch(reader: &mut Connection, name: &str) -> Result<Option<SweepRecord>> {
    let row = sqlx::query(select_sweeps!(", source, report", "where name = $1"))
        .bind(name)
        .fetch_optional(&mut *reader)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let overview = overview(reader, &row).await?;
    Ok(Some(SweepRecord { overview, file: file_of(&row)? }))
}

/// The file of a sweep.
pub(super) async fn file(reader: &mut Connection, name: &str) -> Result<Option<StoredFile>> {
    let row = sqlx::query("select source, report from sweeps where name = $1");
    row.bind(name).fetch_optional(reader).await?.as_ref().map(file_of).transpose()
}

fn file_of(row: &Row) -> Result<StoredFile> {
    let report: Option<&str> = row.try_get("report")?;
    // A report that cannot be read here can be made again from the file.
    let report = report.and_then(|json| serde_json::from_str(json).ok());
    Ok(StoredFile { source: row.try_get("source")?, report })
}

/// A sweep's progress: its row, and counts over its runs.
async fn overview(reader: &mut Connection, sweep: &Row) -> Result<Overview> {
    let id: SweepId = sweep.try_get("id")?;
    let by_state = sqlx::query(
        "select state, count(*) as runs, cast(sum(step * batch) as bigint) as done,
                cast(sum(total_steps * batch) as bigint) as total
         from runs where sweep_id = $1 and in_plan = true group by state",
    )
    .bind(id)
    .fetch_all(&mut *reader)
    .await?;
    let (mut counts, mut images_done, mut images_total) = (Vec::new(), 0u64, 0u64);
    for row in &by_state {
        counts.push((state(row)?, unsigned(row, "runs")?));
        images_done = images_done.saturating_add(unsigned(row, "done")?);
        images_total = images_total.saturating_add(unsigned(row, "total")?);
    }
    let leaving: i64 = sqlx::query_scalar(
        "select count(*) from runs where sweep_id = $1 and in_plan = false and state = 'running'",
    )
    .bind(id)
    .fetch_one(&mut *reader)
    .await?;
    let queued_datasets = sqlx::query_scalar(
        "select distinct dataset from runs where sweep_id = $1 and in_plan = true and state = 'queued' order by dataset",
    )
    .bind(id)
    .fetch_all(&mut *reader)
    .await?;
    Ok(Overview {
        name: sweep.try_get("name")?,
        description: sweep.try_get("description")?,
        tags: words_from_json(sweep.try_get("tags")?)?,
        priority: sweep.try_get("priority")?,
        max_concurrent: sweep
            .try_get::<Option<i64>, _>("max_concurrent")?
            .map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)),
        submitted_ms: sweep.try_get("submitted_ms")?,
        paused: sweep.try_get("paused")?,
        last_event: unsigned(sweep, "last_event")?,
        replay_mismatches: unsigned(sweep, "replay_mismatches")?,
        counts,
        leaving: u32::try_from(leaving).unwrap_or(u32::MAX),
        images_done,
        images_total,
        queued_datasets,
    })
}
