//! The submission of a sweep's file: its runs become the sweep's plan.

use std::collections::HashMap;

use sqlx::{Executor as _, QueryBuilder, Row as _};

use super::allowance;
use super::columns::words_to_json;
use super::dialect::{Connection, Row, among, items};
use super::failure_limit;
use super::ids::Ids;
use super::locks;
use crate::store::rules::storable;
use crate::store::{NewRun, NewSweep, Replacing, Result, RunId, Submission, SweepId};

/// Rows in one insert. SQLite takes 32,766 bound values in a statement.
const ROWS: usize = 1000;

/// Stores the sweep, and undoes that where it is not to be done. So what a dry run answers is what would happen.
pub(super) async fn submit(tx: &mut Connection, sweep: &NewSweep, now_ms: i64) -> Result<Submission> {
    tx.execute("savepoint submission").await?;
    let before = match &sweep.submitter {
        Some(who) => Some((who, allowance::holding(tx, who).await?)),
        None => None,
    };
    let mut submission = store(tx, sweep, now_ms).await?;
    if let Some((who, before)) = before {
        allowance::check(tx, who, before).await?;
    }
    submission.is_stored = match sweep.replacing {
        Replacing::DryRun => false,
        Replacing::WithoutResults => submission.set_aside_with_results == 0,
        Replacing::Any => true,
    };
    if !submission.is_stored {
        tx.execute("rollback to savepoint submission").await?;
    }
    tx.execute("release savepoint submission").await?;
    Ok(submission)
}

/// Stores the sweep and its plan; answers what has changed.
async fn store(tx: &mut Connection, sweep: &NewSweep, now_ms: i64) -> Result<Submission> {
    let sweep_id = store_sweep(tx, sweep, now_ms).await?;
    let known = known(tx, sweep_id).await?;
    let changes = Replanning::of(sweep, &known);
    changes.apply(tx, sweep_id, now_ms).await?;
    failure_limit::forget_failures_undone(tx, sweep_id).await?;
    let count = |runs: usize| u32::try_from(runs).unwrap_or(u32::MAX);
    Ok(Submission {
        new_runs: count(changes.new.len()),
        lengthened_runs: lengthened(tx, sweep_id, changes.stored).await?,
        existing_runs: count(sweep.runs.len() - changes.new.len()),
        other_runs: count(changes.others),
        set_aside: count(changes.left.len()),
        set_aside_with_results: with_results(tx, &changes.left).await?,
        is_stored: true,
    })
}

/// Stores what the file says of the sweep itself; answers the sweep's id.
async fn store_sweep(tx: &mut Connection, sweep: &NewSweep, now_ms: i64) -> Result<SweepId> {
    Ok(sqlx::query_scalar(
        "insert into sweeps (name, submitted_ms, source, description, tags, priority, max_concurrent,
                             max_restarts, checkpoint_kimg, max_lost_workers, max_failed_runs, report,
                             keeps_weights, submitter)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         on conflict (name) do update set source = excluded.source, description = excluded.description,
             tags = excluded.tags, priority = excluded.priority, max_concurrent = excluded.max_concurrent,
             max_restarts = excluded.max_restarts, checkpoint_kimg = excluded.checkpoint_kimg,
             max_lost_workers = excluded.max_lost_workers, max_failed_runs = excluded.max_failed_runs,
             report = excluded.report, keeps_weights = excluded.keeps_weights, submitter = excluded.submitter
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
    .bind(storable(&serde_json::json!(sweep.report).to_string()))
    .bind(sweep.keeps_weights)
    .bind(sweep.submitter.as_ref().map(|who| &who.token))
    .fetch_one(tx)
    .await?)
}

/// How many of the runs that were numbered from `first` on can go on from a shorter run of the sweep.
async fn lengthened(tx: &mut Connection, sweep_id: SweepId, first: usize) -> Result<u32> {
    if first == 0 {
        return Ok(0);
    }
    let lengthened: i64 = sqlx::query_scalar(
        "select count(*) from runs r where r.sweep_id = $1 and r.number >= $2 and exists (
             select 1 from runs p
             join checkpoints c on c.run_id = p.id and c.state = 'committed' and c.step < r.total_steps
             where p.sweep_id = r.sweep_id and p.lineage = r.lineage and p.seed = r.seed and p.attempt > 0)",
    )
    .bind(sweep_id)
    .bind(i64::try_from(first).unwrap_or(i64::MAX))
    .fetch_one(tx)
    .await?;
    Ok(u32::try_from(lengthened).unwrap_or(u32::MAX))
}

/// How many of these runs have results: any point.
async fn with_results(tx: &mut Connection, runs: &[RunId]) -> Result<u32> {
    let with_results: i64 = sqlx::query_scalar(concat!(
        "select count(*) from runs where id ",
        among!("$1"),
        " and exists (select 1 from summaries m where m.run_id = runs.id)"
    ))
    .bind(Ids::new(runs.iter().copied()).as_json())
    .fetch_one(tx)
    .await?;
    Ok(u32::try_from(with_results).unwrap_or(u32::MAX))
}

/// A run that is stored.
struct Known {
    id: RunId,
    config_hash: String,
    seed: i64,
    index: i64,
    in_plan: bool,
}

/// What a plan changes.
struct Replanning<'p> {
    /// Runs to add, with their places.
    new: Vec<(i64, &'p NewRun)>,
    /// Stored runs that are not at their place yet, each with that place.
    moved: Vec<(RunId, i64)>,
    /// Stored runs that leave the plan.
    left: Vec<RunId>,
    /// How many stored runs are not in the plan.
    others: usize,
    /// How many runs are stored. Runs are numbered in the order in which they are added, from 0 on.
    stored: usize,
}

impl<'p> Replanning<'p> {
    fn of(sweep: &'p NewSweep, known: &[Known]) -> Replanning<'p> {
        let stored = known.len();
        let mut known: HashMap<(&str, i64), &Known> =
            known.iter().map(|run| ((run.config_hash.as_str(), run.seed), run)).collect();
        let (mut new, mut moved) = (Vec::new(), Vec::new());
        for (index, run) in (0i64..).zip(&sweep.runs) {
            match known.remove(&(run.configuration.config_hash.as_str(), run.seed.cast_signed())) {
                None => new.push((index, run)),
                Some(run) if run.in_plan && run.index == index => {}
                Some(run) => moved.push((run.id, index)),
            }
        }
        let left = known.values().filter(|run| run.in_plan).map(|run| run.id).collect();
        Replanning { new, moved, left, others: known.len(), stored }
    }

    /// Changes the stored runs accordingly.
    async fn apply(&self, tx: &mut Connection, sweep_id: SweepId, now_ms: i64) -> Result<()> {
        // Only what changes is locked, in the order of ids.
        let moved = self.moved.iter().map(|(id, _)| *id);
        locks::runs(tx, &Ids::new(moved.chain(self.left.iter().copied()))).await?;
        for runs in self.moved.chunks(ROWS) {
            move_in_plan(tx, runs, now_ms).await?;
        }
        sqlx::query(concat!("update runs set in_plan = false where id ", among!("$1")))
            .bind(Ids::new(self.left.iter().copied()).as_json())
            .execute(&mut *tx)
            .await?;
        let mut number = i64::try_from(self.stored).unwrap_or(i64::MAX);
        for runs in self.new.chunks(ROWS) {
            insert(tx, sweep_id, runs, number, now_ms).await?;
            number += i64::try_from(runs.len()).unwrap_or(i64::MAX);
        }
        Ok(())
    }
}

/// The sweep's runs.
async fn known(tx: &mut Connection, sweep_id: SweepId) -> Result<Vec<Known>> {
    let rows = sqlx::query("select id, config_hash, seed, idx, in_plan from runs where sweep_id = $1")
        .bind(sweep_id)
        .fetch_all(tx)
        .await?;
    let run = |row: &Row| {
        Ok(Known {
            id: row.try_get("id")?,
            config_hash: row.try_get("config_hash")?,
            seed: row.try_get("seed")?,
            index: row.try_get("idx")?,
            in_plan: row.try_get("in_plan")?,
        })
    };
    rows.iter().map(run).collect()
}

/// Gives stored runs their places. Those that come back into the plan wait from now on.
async fn move_in_plan(tx: &mut Connection, runs: &[(RunId, i64)], now_ms: i64) -> Result<()> {
    let places: Vec<(i64, i64)> = runs.iter().map(|&(run, place)| (run.into(), place)).collect();
    sqlx::query(concat!(
        "update runs set in_plan = true, idx = place.idx,
                         queued_ms = case when in_plan = true then queued_ms else $2 end
         from (select cast(value ->> 0 as bigint) as id, cast(value ->> 1 as bigint) as idx from ",
        items!("$1"),
        ") as place
         where runs.id = place.id"
    ))
    .bind(serde_json::json!(places).to_string())
    .bind(now_ms)
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds runs at their places in the plan, numbered from `first_number` on. They are queued.
async fn insert(
    tx: &mut Connection,
    sweep_id: SweepId,
    runs: &[(i64, &NewRun)],
    first_number: i64,
    now_ms: i64,
) -> Result<()> {
    let mut insert = QueryBuilder::new(
        "insert into runs (sweep_id, seed, config, config_hash, shape_key, lineage, dataset, batch, total_steps, idx, in_plan, number, queued_ms) ",
    );
    insert.push_values((first_number..).zip(runs), |mut row, (number, (place, run))| {
        row.push_bind(sweep_id)
            .push_bind(run.seed.cast_signed())
            .push_bind(run.configuration.json.as_str())
            .push_bind(run.configuration.config_hash.as_str())
            .push_bind(run.configuration.shape_key.as_str())
            .push_bind(run.configuration.lineage.as_deref())
            .push_bind(run.configuration.dataset.as_str())
            .push_bind(i64::from(run.configuration.batch))
            .push_bind(run.total_steps.cast_signed())
            .push_bind(*place)
            .push_bind(true)
            .push_bind(number)
            .push_bind(now_ms);
    });
    insert.build().execute(tx).await?;
    Ok(())
}
