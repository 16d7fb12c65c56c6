//! What tables of results are made of: the values of each run's metrics.
//!
//! When a run is completed its values do not change any more, and are kept as they are read: together, in one row. Tables
//! show completed runs alone; a row for each value would cost several times as much on its way here.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use acai_sweep::configuration::Configuration;
use acai_sweep::results::{RunResult, Summary};
use sqlx::{Connection as _, Row as _};

use super::columns::{configuration, seed, state, summary, unsigned};
use super::dialect::{Connection, Row, for_update, items};
use crate::store::{Result, RunId, StoreError};

/// Runs that one transaction keeps the values of.
const STEP: i64 = 1000;

/// Last, smallest, largest and mean value of a metric.
type Values = [f64; 4];

/// Keeps the values of a run that is completed.
pub(super) async fn keep(tx: &mut Connection, run: RunId) -> Result<()> {
    let rows = sqlx::query("select name, last, min, max, sum, count from summaries where run_id = $1")
        .bind(run)
        .fetch_all(&mut *tx)
        .await?;
    let mut values = BTreeMap::<&str, Values>::new();
    for row in &rows {
        let Summary { last, min, max, mean } = summary(row)?;
        values.insert(row.try_get("name")?, [last, min, max, mean]);
    }
    sqlx::query(
        "insert into results_of_runs (run_id, summaries) values ($1, $2)
         on conflict (run_id) do update set summaries = excluded.summaries",
    )
    .bind(run)
    .bind(serde_json::json!(values).to_string())
    .execute(tx)
    .await?;
    Ok(())
}

/// A step, in a transaction of its own: keeps the values of runs that an earlier version completed. False: there is none left.
pub(in crate::store) async fn keep_earlier(connection: &mut Connection) -> Result<bool> {
    let mut tx = connection.begin().await?;
    let missing = sqlx::query_scalar(concat!(
        "select run_id from results_of_runs where summaries is null order by run_id limit $1",
        for_update!()
    ));
    let runs: Vec<RunId> = missing.bind(STEP).fetch_all(&mut *tx).await?;
    for &run in &runs {
        keep(&mut tx, run).await?;
    }
    tx.commit().await?;
    Ok(!runs.is_empty())
}

/// The runs in the plan of sweep `$1` with what was kept of them.
pub(in crate::store) const LIST: &str = "select r.number, r.seed, r.config, r.state, k.summaries
         from runs r left join results_of_runs k on k.run_id = r.id and r.state = 'completed'
         where r.sweep_id = (select id from sweeps where name = $1) and r.in_plan = true
         order by r.idx, r.id";

/// The runs in the sweep's plan, in its order, those that are completed with the summaries of their metrics.
pub(super) async fn list(reader: &mut Connection, sweep: &str) -> Result<Vec<RunResult>> {
    let rows = sqlx::query(LIST).bind(sweep).fetch_all(reader).await?;
    aside(rows, |rows| {
        let mut configurations = Configurations::default();
        let result = |row| Ok(RunResult { summaries: kept(row)?, ..configurations.result(row)? });
        rows.iter().map(result).collect()
    })
    .await
}

/// Reads rows on a thread that answers nobody: thousands of rows take their time.
async fn aside(
    rows: Vec<Row>,
    read: impl FnOnce(&[Row]) -> Result<Vec<RunResult>> + Send + 'static,
) -> Result<Vec<RunResult>> {
    let read = tokio::task::spawn_blocking(move || read(&rows)).await;
    read.map_err(|broken| StoreError::Unavailable(broken.to_string()))?
}

/// The summaries that [`keep`] has kept.
fn kept(row: &Row) -> Result<BTreeMap<String, Summary>> {
    let Some(json) = row.try_get::<Option<&str>, _>("summaries")? else { return Ok(BTreeMap::new()) };
    let values: BTreeMap<String, Values> =
        serde_json::from_str(json).map_err(|error| StoreError::Corrupt(format!("`{json}`: {error}")))?;
    let summary = |(name, [last, min, max, mean]): (String, Values)| (name, Summary { last, min, max, mean });
    Ok(values.into_iter().map(summary).collect())
}

/// As [`list`], with the values that each run's metrics have at one step: where the first of these metrics that the run
/// has is best. A metric comes with 1 if small values are better, or else with -1.
pub(super) async fn at_best(
    reader: &mut Connection,
    sweep: &str,
    metrics: &[(String, i8)],
) -> Result<Vec<RunResult>> {
    let preferences: Vec<_> =
        metrics.iter().enumerate().map(|(place, (name, sign))| (place, name, sign)).collect();
    // Where a metric is best is looked for among the points of that metric alone: what its best value is, is known.
    let rows = sqlx::query(concat!(
        "with preferred as (
             select cast(value ->> 0 as bigint) as place, value ->> 1 as name, cast(value ->> 2 as bigint) as sign from ",
        items!("$2"),
        "),
         planned as materialized (
             select r.id, r.number, r.idx, r.seed, r.config, r.state,
                    (select (select min(m.step) from metrics m where m.run_id = s.run_id and m.name = s.name
                                 and m.value = case when p.sign > 0 then s.min else s.max end)
                     from preferred p join summaries s on s.run_id = r.id and s.name = p.name
                     order by p.place limit 1) as step
             from runs r where r.sweep_id = (select id from sweeps where name = $1) and r.in_plan = true)
         select r.id, r.number, r.seed, r.config, r.state, m.name, m.value
         from planned r
         left join summaries s on s.run_id = r.id
         left join metrics m on m.run_id = r.id and m.name = s.name and m.step = r.step
         order by r.idx, r.id, m.name"
    ))
    .bind(sweep)
    .bind(serde_json::json!(preferences).to_string())
    .fetch_all(&mut *reader)
    .await?;
    aside(rows, assemble).await
}

/// The runs in the plan of sweep `$1` with the values at their last step.
const AT_END: &str = "select r.id, r.number, r.seed, r.config, r.state, m.name, m.last as value
         from runs r left join summaries m on m.run_id = r.id and m.last_step = r.total_steps
         where r.sweep_id = (select id from sweeps where name = $1) and r.in_plan = true
         order by r.idx, r.id, m.name";

/// As [`list`], with the values of the metrics that have one at the run's last step.
pub(super) async fn at_end(reader: &mut Connection, sweep: &str) -> Result<Vec<RunResult>> {
    let rows = sqlx::query(AT_END).bind(sweep).fetch_all(reader).await?;
    aside(rows, assemble).await
}

/// As [`list`], with the values that each run's metrics have at the largest step up to `step` that each has one at.
pub(super) async fn at_step(reader: &mut Connection, sweep: &str, step: u64) -> Result<Vec<RunResult>> {
    let rows = sqlx::query(
        "select r.id, r.number, r.seed, r.config, r.state, m.name, m.value
         from runs r
         left join summaries s on s.run_id = r.id
         left join metrics m on m.run_id = r.id and m.name = s.name
             and m.step = (select max(l.step) from metrics l
                           where l.run_id = s.run_id and l.name = s.name and l.step <= $2)
         where r.sweep_id = (select id from sweeps where name = $1) and r.in_plan = true
         order by r.idx, r.id, m.name",
    )
    .bind(sweep)
    .bind(i64::try_from(step).unwrap_or(i64::MAX))
    .fetch_all(&mut *reader)
    .await?;
    aside(rows, assemble).await
}

/// Runs from rows of a run and a value each, which come run by run.
fn assemble(rows: &[Row]) -> Result<Vec<RunResult>> {
    let mut results: Vec<RunResult> = Vec::new();
    let mut current = None;
    let mut configurations = Configurations::default();
    for row in rows {
        let id: RunId = row.try_get("id")?;
        if current != Some(id) {
            current = Some(id);
            results.push(configurations.result(row)?);
        }
        let name: Option<String> = row.try_get("name")?;
        if let (Some(name), Some(run)) = (name, results.last_mut()) {
            let value = row.try_get("value")?;
            run.summaries.insert(name, Summary { last: value, min: value, max: value, mean: value });
        }
    }
    Ok(results)
}

/// Configurations that were read: runs of several seeds have one, which is read once.
#[derive(Default)]
struct Configurations<'r>(HashMap<&'r str, Configuration>);

impl<'r> Configurations<'r> {
    /// A run without its values.
    fn result(&mut self, row: &'r Row) -> Result<RunResult> {
        let configuration = match self.0.entry(row.try_get("config")?) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => new.insert(configuration(row)?).clone(),
        };
        Ok(RunResult {
            number: unsigned(row, "number")?,
            configuration,
            seed: seed(row)?,
            state: state(row)?,
            summaries: BTreeMap::new(),
        })
    }
}
