//! Sweeps and their plans.

use sqlx::{QueryBuilder, Row as _};

use super::control;
use super::dialect::{Connection, Pool, Row};
use super::runs::{state, storable, unsigned};
use super::workers::{words_from_json, words_to_json};
use crate::store::{NewRun, NewSweep, Overview, Result, Submission, SweepRecord};

/// Rows in one insert; SQLite takes 32,766 bound values.
const ROWS: usize = 1000;

pub(super) async fn submit(tx: &mut Connection, sweep: &NewSweep, now_ms: i64) -> Result<Submission> {
    let sweep_id: i64 = sqlx::query_scalar(
        "insert into sweeps (name, submitted_ms, source, description, tags, priority, max_concurrent,
                             max_restarts, checkpoint_kimg, max_lost_workers, max_failed_runs)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (name) do update set source = excluded.source, description = excluded.description,
             tags = excluded.tags, priority = excluded.priority, max_concurrent = excluded.max_concurrent,
             max_restarts = excluded.max_restarts, checkpoint_kimg = excluded.checkpoint_kimg,
             max_lost_workers = excluded.max_lost_workers, max_failed_runs = excluded.max_failed_runs
         returning id",
    )
    .bind(&sweep.name)
    .bind(now_ms)
    .bind(&sweep.source)
    .bind(storable(&sweep.description))
    .bind(words_to_json(&sweep.tags))
    .bind(sweep.priority)
    .bind(sweep.max_concurrent.map(i64::from))
    .bind(i64::from(sweep.max_restarts))
    .bind(sweep.checkpoint_kimg)
    .bind(i64::from(sweep.max_lost_workers))
    .bind(sweep.max_failed_runs.map(i64::from))
    .fetch_one(&mut *tx)
    .await?;

    let before = count_runs(tx, sweep_id).await?;
    sqlx::query("update runs set in_plan = false where sweep_id = $1")
        .bind(sweep_id)
        .execute(&mut *tx)
        .await?;
    let planned = sweep.runs.len();
    for (chunk, runs) in sweep.runs.chunks(ROWS).enumerate() {
        plan(tx, sweep_id, chunk * ROWS, runs).await?;
    }
    control::forget_failures_undone(tx, sweep_id).await?;
    let after = count_runs(tx, sweep_id).await?;

    let count = |runs: usize| u32::try_from(runs).unwrap_or(u32::MAX);
    let new = after - before;
    Ok(Submission {
        new_runs: count(new),
        existing_runs: count(planned - new),
        other_runs: count(after - planned),
    })
}

async fn count_runs(tx: &mut Connection, sweep_id: i64) -> Result<usize> {
    let runs: i64 = sqlx::query_scalar("select count(*) from runs where sweep_id = $1")
        .bind(sweep_id)
        .fetch_one(tx)
        .await?;
    Ok(usize::try_from(runs).unwrap_or(0))
}

/// Adds the runs that are missing, and gives all of them their place in the plan.
async fn plan(tx: &mut Connection, sweep_id: i64, first: usize, runs: &[NewRun]) -> Result<()> {
    let mut insert = QueryBuilder::new(
        "insert into runs (sweep_id, seed, config, config_hash, shape_key, dataset, batch, total_steps, idx, in_plan) ",
    );
    insert.push_values(runs.iter().enumerate(), |mut row, (offset, run)| {
        row.push_bind(sweep_id)
            .push_bind(run.seed.cast_signed())
            .push_bind(run.configuration.to_json())
            .push_bind(run.configuration.config_hash())
            .push_bind(run.configuration.shape_key())
            .push_bind(run.dataset.clone())
            .push_bind(i64::from(run.batch))
            .push_bind(run.total_steps.cast_signed())
            .push_bind(i64::try_from(first + offset).unwrap_or(i64::MAX))
            .push_bind(true);
    });
    insert.push(
        " on conflict (sweep_id, config_hash, seed) do update set idx = excluded.idx, in_plan = excluded.in_plan",
    );
    insert.build().execute(tx).await?;
    Ok(())
}

pub(super) async fn list(readers: &Pool) -> Result<Vec<Overview>> {
    let rows = sqlx::query(
        "select id, name, description, tags, priority, max_concurrent, submitted_ms, paused, last_event,
                (select cast(coalesce(sum(a.replay_mismatches), 0) as bigint) from attempts a join runs r on r.id = a.run_id
                 where r.sweep_id = sweeps.id) as replay_mismatches
         from sweeps order by submitted_ms desc, id desc",
    )
    .fetch_all(readers)
    .await?;
    let mut sweeps = Vec::with_capacity(rows.len());
    for row in &rows {
        sweeps.push(overview(readers, row).await?);
    }
    Ok(sweeps)
}

pub(super) async fn fetch(readers: &Pool, name: &str) -> Result<Option<SweepRecord>> {
    let row = sqlx::query(
        "select id, name, description, tags, priority, max_concurrent, submitted_ms, paused, last_event, source,
                (select cast(coalesce(sum(a.replay_mismatches), 0) as bigint) from attempts a join runs r on r.id = a.run_id
                 where r.sweep_id = sweeps.id) as replay_mismatches
         from sweeps where name = $1",
    )
    .bind(name)
    .fetch_optional(readers)
    .await?;
    match row {
        None => Ok(None),
        Some(row) => {
            Ok(Some(SweepRecord { overview: overview(readers, &row).await?, source: row.try_get("source")? }))
        }
    }
}

async fn overview(readers: &Pool, sweep: &Row) -> Result<Overview> {
    let id: i64 = sweep.try_get("id")?;
    let by_state = sqlx::query(
        "select state, count(*) as runs, cast(sum(step * batch) as bigint) as done,
                cast(sum(total_steps * batch) as bigint) as total
         from runs where sweep_id = $1 and in_plan = true group by state",
    )
    .bind(id)
    .fetch_all(readers)
    .await?;
    let (mut counts, mut images_done, mut images_total) = (Vec::new(), 0u64, 0u64);
    for row in &by_state {
        counts.push((state(row)?, unsigned(row, "runs")?));
        images_done = images_done.saturating_add(unsigned(row, "done")?);
        images_total = images_total.saturating_add(unsigned(row, "total")?);
    }
    let queued_datasets = sqlx::query_scalar(
        "select distinct dataset from runs where sweep_id = $1 and in_plan = true and state = 'queued' order by dataset",
    )
    .bind(id)
    .fetch_all(readers)
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
        images_done,
        images_total,
        queued_datasets,
    })
}
