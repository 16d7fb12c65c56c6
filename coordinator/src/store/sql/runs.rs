//! Runs and their results, read.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use acai_sweep::configuration::Configuration;
use acai_sweep::results::{RunResult, Summary};
use acai_sweep::run::RunState;
use sqlx::Row as _;

use super::columns::{configuration, desired, seed, state, summary, unsigned};
use super::dialect::{Connection, Row, among, elements, items};
use crate::store::{Result, RunId, RunRecord};

/// The columns of a [`RunRecord`].
macro_rules! select_runs {
    ($($rest:expr),+ $(,)?) => {
        concat!(
            "select r.id, r.number, r.idx, r.seed, r.config, r.state, r.attempt, r.step, r.total_steps, r.failures, r.losses,
                    r.desired, r.message, w.name as worker
             from runs r
             join sweeps s on s.id = r.sweep_id
             left join workers w on w.id = r.worker_id
             where ",
            $($rest),+
        )
    };
}

/// The runs in the sweep's plan from place `from` on, at most `most`; of all states if `states` is empty.
pub(super) async fn list(
    reader: &mut Connection,
    sweep: &str,
    states: &[RunState],
    from: u32,
    most: u32,
) -> Result<Vec<RunRecord>> {
    let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let rows = sqlx::query(select_runs!(
        // The sweep is not found by the join: Postgres would read the whole plan for each page, and sort it.
        "r.sweep_id = (select id from sweeps where name = $1) and r.in_plan = true and r.idx >= $3
             and ($2 = '[]' or r.state in (",
        elements!("$2"),
        ")) order by r.idx limit $4"
    ))
    .bind(sweep)
    .bind(serde_json::Value::from(states).to_string())
    .bind(i64::from(from))
    .bind(i64::from(most))
    .fetch_all(reader)
    .await?;
    rows.iter().map(record).collect()
}

/// The runs of the sweep that are not in its plan, from number `from` on, at most `most`; of all states if `states` is empty.
pub(super) async fn set_aside(
    reader: &mut Connection,
    sweep: &str,
    states: &[RunState],
    from: u32,
    most: u32,
) -> Result<Vec<RunRecord>> {
    let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let rows = sqlx::query(select_runs!(
        "r.sweep_id = (select id from sweeps where name = $1) and r.in_plan = false and r.number >= $3
             and ($2 = '[]' or r.state in (",
        elements!("$2"),
        ")) order by r.number limit $4"
    ))
    .bind(sweep)
    .bind(serde_json::Value::from(states).to_string())
    .bind(i64::from(from))
    .bind(i64::from(most))
    .fetch_all(reader)
    .await?;
    rows.iter().map(record).collect()
}

/// The runs in the sweep's plan that ended badly, or failed and go on; the first `most`.
pub(super) async fn failures(reader: &mut Connection, sweep: &str, most: u32) -> Result<Vec<RunRecord>> {
    let rows = sqlx::query(select_runs!(
        "s.name = $1 and r.in_plan = true and (r.state in ('diverged', 'failed', 'lost') or (r.failures > 0 and r.state in ('queued', 'running')))
                      order by r.idx limit $2"
    ))
    .bind(sweep)
    .bind(i64::from(most))
    .fetch_all(&mut *reader)
    .await?;
    rows.iter().map(record).collect()
}

/// Those of these numbers that runs of the sweep have, in order.
pub(super) async fn numbers(reader: &mut Connection, sweep: &str, numbers: &[u32]) -> Result<Vec<u32>> {
    let rows = sqlx::query(concat!(
        "select number from runs where sweep_id = (select id from sweeps where name = $1) and number ",
        among!("$2"),
        " order by number"
    ))
    .bind(sweep)
    .bind(serde_json::json!(numbers).to_string())
    .fetch_all(reader)
    .await?;
    rows.iter().map(|row| unsigned(row, "number")).collect()
}

/// What people call a run: `SWEEP/INDEX`.
pub(super) async fn name(reader: &mut Connection, id: RunId) -> Result<Option<String>> {
    let name =
        "select s.name || '/' || r.number from runs r join sweeps s on s.id = r.sweep_id where r.id = $1";
    Ok(sqlx::query_scalar(name).bind(id).fetch_optional(&mut *reader).await?)
}

/// The run of this id.
pub(super) async fn fetch(reader: &mut Connection, id: RunId) -> Result<Option<RunRecord>> {
    let row = sqlx::query(select_runs!("r.id = $1")).bind(id).fetch_optional(&mut *reader).await?;
    row.as_ref().map(record).transpose()
}

fn record(row: &Row) -> Result<RunRecord> {
    Ok(RunRecord {
        id: row.try_get("id")?,
        number: unsigned(row, "number")?,
        place: unsigned(row, "idx")?,
        seed: seed(row)?,
        configuration: configuration(row)?,
        state: state(row)?,
        attempt: unsigned(row, "attempt")?,
        step: unsigned(row, "step")?,
        total_steps: unsigned(row, "total_steps")?,
        worker: row.try_get("worker")?,
        failures: unsigned(row, "failures")?,
        losses: unsigned(row, "losses")?,
        desired: desired(row)?,
        message: row.try_get("message")?,
    })
}

/// The runs in the sweep's plan, with the summaries of their metrics.
pub(super) async fn results(reader: &mut Connection, sweep: &str) -> Result<Vec<RunResult>> {
    // Read in one statement, so that the runs and the summaries are of one moment.
    let rows = sqlx::query(
        "select r.id, r.seed, r.config, r.state, m.name, m.last, m.min, m.max, m.sum, m.count
         from runs r
         join sweeps s on s.id = r.sweep_id
         left join summaries m on m.run_id = r.id
         where s.name = $1 and r.in_plan = true
         order by r.idx, r.id, m.name",
    )
    .bind(sweep)
    .fetch_all(&mut *reader)
    .await?;
    assemble(&rows, summary)
}

/// As [`results`], with the values that each run's metrics have at one step: where the first of these metrics that the run
/// has is best. A metric comes with 1 if small values are better, or else with -1.
pub(super) async fn results_at_best(
    reader: &mut Connection,
    sweep: &str,
    metrics: &[(String, i8)],
) -> Result<Vec<RunResult>> {
    let preferences: Vec<_> =
        metrics.iter().enumerate().map(|(place, (name, sign))| (place, name, sign)).collect();
    let rows = sqlx::query(concat!(
        "with planned as (
             select r.id, r.idx, r.seed, r.config, r.state from runs r join sweeps s on s.id = r.sweep_id
             where s.name = $1 and r.in_plan = true),
         preferred as (
             select cast(value ->> 0 as bigint) as place, value ->> 1 as name, cast(value ->> 2 as bigint) as sign from ",
        items!("$2"),
        "),
         ranked as (
             select m.run_id, m.step,
                    row_number() over (partition by m.run_id order by p.place, m.value * p.sign, m.step) as rank
             from planned r cross join preferred p join metrics m on m.run_id = r.id and m.name = p.name)
         select r.id, r.seed, r.config, r.state, m.name, m.value
         from planned r
         left join ranked b on b.run_id = r.id and b.rank = 1
         left join metrics m on m.run_id = r.id and m.step = b.step
         order by r.idx, r.id, m.name"
    ))
    .bind(sweep)
    .bind(serde_json::json!(preferences).to_string())
    .fetch_all(&mut *reader)
    .await?;
    assemble(&rows, single)
}

/// As [`results`], with the values that each run's metrics have at the largest step up to `step` that each has one at.
pub(super) async fn results_at_step(
    reader: &mut Connection,
    sweep: &str,
    step: u64,
) -> Result<Vec<RunResult>> {
    let rows = sqlx::query(
        "with planned as (
             select r.id, r.idx, r.seed, r.config, r.state from runs r join sweeps s on s.id = r.sweep_id
             where s.name = $1 and r.in_plan = true),
         latest as (
             select m.run_id, m.name, max(m.step) as step
             from planned r join metrics m on m.run_id = r.id where m.step <= $2 group by m.run_id, m.name)
         select r.id, r.seed, r.config, r.state, m.name, m.value
         from planned r
         left join latest l on l.run_id = r.id
         left join metrics m on m.run_id = l.run_id and m.name = l.name and m.step = l.step
         order by r.idx, r.id, m.name",
    )
    .bind(sweep)
    .bind(i64::try_from(step).unwrap_or(i64::MAX))
    .fetch_all(&mut *reader)
    .await?;
    assemble(&rows, single)
}

/// The summary of a metric of which one value counts.
fn single(row: &Row) -> Result<Summary> {
    let value = row.try_get("value")?;
    Ok(Summary { last: value, min: value, max: value, mean: value })
}

/// Runs from rows of a run and a metric each, which come run by run.
fn assemble(rows: &[Row], summary: fn(&Row) -> Result<Summary>) -> Result<Vec<RunResult>> {
    let mut results: Vec<RunResult> = Vec::new();
    let mut current = None;
    // Runs of several seeds have one configuration, which is read once.
    let mut configurations: HashMap<&str, Configuration> = HashMap::new();
    for row in rows {
        let id: RunId = row.try_get("id")?;
        if current != Some(id) {
            current = Some(id);
            let configuration = match configurations.entry(row.try_get("config")?) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(new) => new.insert(configuration(row)?).clone(),
            };
            results.push(RunResult {
                configuration,
                seed: seed(row)?,
                state: state(row)?,
                summaries: BTreeMap::new(),
            });
        }
        let name: Option<String> = row.try_get("name")?;
        if let (Some(name), Some(run)) = (name, results.last_mut()) {
            run.summaries.insert(name, summary(row)?);
        }
    }
    Ok(results)
}
