//! Sweeps and their progress, read.

use std::collections::BTreeMap;

use acai_sweep::run::RunState;
use sqlx::Row as _;

use super::columns::{state, unsigned, words_from_json};
use super::dialect::{Connection, Row};
use crate::store::{Bearer, Overview, Result, StoredFile, SweepId, SweepRecord};

/// Reads the columns that [`overview`] takes, and further columns.
macro_rules! select_sweeps {
    ($columns:literal, $rest:literal) => {
        concat!(
            "select id, name, description, tags, priority, max_concurrent, submitted_ms, paused, last_event",
            $columns,
            ", submitter, (select t.name from tokens t where t.id = sweeps.submitter) as submitter_name",
            // The few attempts that have mismatches are found first, and then whether their runs are of the sweep.
            ", (select cast(coalesce(sum(a.replay_mismatches), 0) as bigint)
                from attempts a cross join runs r
                where a.replay_mismatches > 0 and r.id = a.run_id and r.sweep_id = sweeps.id) as replay_mismatches
             from sweeps ",
            $rest
        )
    };
}

/// Every sweep, newest first.
pub(in crate::store) const LIST: &str = select_sweeps!("", "order by submitted_ms desc, id desc");

/// Every sweep with its progress, newest first.
pub(super) async fn list(reader: &mut Connection) -> Result<Vec<Overview>> {
    let rows = sqlx::query(LIST).fetch_all(&mut *reader).await?;
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

/// What the tallies say of a sweep, and how far the runs are that are being trained.
pub(in crate::store) const TALLIES: &str = "select t.in_plan, t.state, t.dataset, t.runs, t.images_total,
            t.images_done + case when t.state = 'running' then
                (select cast(coalesce(sum(r.step * r.batch), 0) as bigint) from runs r
                 where r.sweep_id = t.sweep_id and r.state = 'running' and r.in_plan = t.in_plan and r.dataset = t.dataset)
                else 0 end as images_done
     from tallies t where t.sweep_id = $1 and t.runs > 0 order by t.state, t.dataset";

fn bearer(sweep: &Row) -> Result<Option<Bearer>> {
    let Some(token) = sweep.try_get("submitter")? else { return Ok(None) };
    let name: Option<String> = sweep.try_get("submitter_name")?;
    Ok(Some(Bearer { token, name: name.unwrap_or_default() }))
}

/// A sweep's progress: its row, and the tallies of its runs.
async fn overview(reader: &mut Connection, sweep: &Row) -> Result<Overview> {
    let id: SweepId = sweep.try_get("id")?;
    let mut counts = BTreeMap::<RunState, u32>::new();
    let (mut leaving, mut images_done, mut images_total) = (0u32, 0u64, 0u64);
    let mut queued_datasets = Vec::new();
    for row in &sqlx::query(TALLIES).bind(id).fetch_all(reader).await? {
        let (state, runs): (RunState, u32) = (state(row)?, unsigned(row, "runs")?);
        if !row.try_get::<bool, _>("in_plan")? {
            leaving += if state == RunState::Running { runs } else { 0 };
            continue;
        }
        *counts.entry(state).or_default() += runs;
        images_done = images_done.saturating_add(unsigned(row, "images_done")?);
        images_total = images_total.saturating_add(unsigned(row, "images_total")?);
        if state == RunState::Queued {
            queued_datasets.push(row.try_get("dataset")?);
        }
    }
    Ok(Overview {
        name: sweep.try_get("name")?,
        description: sweep.try_get("description")?,
        tags: words_from_json(sweep.try_get("tags")?)?,
        priority: sweep.try_get("priority")?,
        max_concurrent: sweep
            .try_get::<Option<i64>, _>("max_concurrent")?
            .map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)),
        submitted_ms: sweep.try_get("submitted_ms")?,
        submitter: bearer(sweep)?,
        paused: sweep.try_get("paused")?,
        last_event: unsigned(sweep, "last_event")?,
        replay_mismatches: unsigned(sweep, "replay_mismatches")?,
        counts: counts.into_iter().collect(),
        leaving,
        images_done,
        images_total,
        queued_datasets,
    })
}
