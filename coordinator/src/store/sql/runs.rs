//! Runs, read.

use std::collections::BTreeMap;

use acai_sweep::configuration::{Configuration, ConfigurationError};
use acai_sweep::results::{RunResult, Summary};
use acai_sweep::run::RunState;
use sqlx::Row as _;

use super::control::desired;
use super::dialect::{Connection, Row, elements};
use crate::store::{AttemptRef, Result, RunRecord, StoreError};

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

pub(super) async fn list(
    reader: &mut Connection,
    sweep: &str,
    states: &[RunState],
    from: u32,
    most: u32,
) -> Result<Vec<RunRecord>> {
    let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let rows = sqlx::query(select_runs!(
        // Not by the join: Postgres would read the whole plan for each page, and sort it.
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

pub(super) async fn name(reader: &mut Connection, id: u64) -> Result<Option<String>> {
    let name =
        "select s.name || '/' || r.number from runs r join sweeps s on s.id = r.sweep_id where r.id = $1";
    Ok(sqlx::query_scalar(name).bind(id.cast_signed()).fetch_optional(&mut *reader).await?)
}

pub(super) async fn fetch(reader: &mut Connection, id: u64) -> Result<Option<RunRecord>> {
    let row =
        sqlx::query(select_runs!("r.id = $1")).bind(id.cast_signed()).fetch_optional(&mut *reader).await?;
    row.as_ref().map(record).transpose()
}

fn record(row: &Row) -> Result<RunRecord> {
    Ok(RunRecord {
        id: unsigned(row, "id")?,
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

pub(super) async fn results(reader: &mut Connection, sweep: &str) -> Result<Vec<RunResult>> {
    // One statement, so that runs and summaries are of one moment.
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
    let mut results: Vec<RunResult> = Vec::new();
    let mut current = None;
    for row in &rows {
        let id: i64 = row.try_get("id")?;
        if current != Some(id) {
            current = Some(id);
            results.push(RunResult {
                configuration: configuration(row)?,
                seed: seed(row)?,
                state: state(row)?,
                summaries: BTreeMap::new(),
            });
        }
        let name: Option<String> = row.try_get("name")?;
        if let (Some(name), Some(run)) = (name, results.last_mut()) {
            let count: i64 = row.try_get("count")?;
            let summary = Summary {
                last: row.try_get("last")?,
                min: row.try_get("min")?,
                max: row.try_get("max")?,
                mean: row.try_get::<f64, _>("sum")? / count as f64,
            };
            run.summaries.insert(name, summary);
        }
    }
    Ok(results)
}

/// A count or an id. The database's integers are signed; ours never are negative.
pub(super) fn unsigned<T: TryFrom<i64>>(row: &Row, column: &str) -> Result<T> {
    let value: i64 = row.try_get(column)?;
    T::try_from(value).map_err(|_| StoreError::Corrupt(format!("`{column}` is {value}")))
}

/// Text without the one character that Postgres does not take.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Points 1 to this number of the attempt are durable. Read in a statement of its own, after the run's row is locked: one
/// that waited for the lock still sees what was there when it began.
pub(super) async fn acked_seq(tx: &mut Connection, attempt: AttemptRef) -> Result<u64> {
    let row = sqlx::query("select acked_seq from attempts where run_id = $1 and number = $2")
        .bind(attempt.run.cast_signed())
        .bind(i64::from(attempt.number))
        .fetch_one(tx)
        .await?;
    unsigned(&row, "acked_seq")
}

/// An error for a step that the run does not have.
pub(super) fn within(step: u64, run: &Row) -> Result<()> {
    let total_steps: u64 = unsigned(run, "total_steps")?;
    if step > total_steps {
        return Err(StoreError::Conflict(format!("the run has {total_steps} steps, not {step}")));
    }
    Ok(())
}

pub(super) fn seed(row: &Row) -> Result<u64> {
    Ok(row.try_get::<i64, _>("seed")?.cast_unsigned())
}

pub(super) fn state(row: &Row) -> Result<RunState> {
    let word: &str = row.try_get("state")?;
    word.parse().map_err(|_| StoreError::Corrupt(format!("`{word}` is no state of a run")))
}

pub(super) fn configuration(row: &Row) -> Result<Configuration> {
    let json: &str = row.try_get("config")?;
    Configuration::from_json(json).map_err(|error| match error {
        ConfigurationError::Parameter(error) => StoreError::OtherVersion(error.to_string()),
        error => StoreError::Corrupt(format!("`{json}`: {error}")),
    })
}
