//! Runs, read.

use acai_sweep::run::RunState;
use sqlx::Row as _;

use super::columns::{configuration, desired, seed, state, unsigned};
use super::dialect::{Connection, Row, elements, is_one_of};
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

/// The runs in the plan of sweep `$1` in states `$2` from place `$3` on.
pub(in crate::store) const LIST: &str = select_runs!(
    // The sweep is not found by the join: Postgres would read the whole plan for each page, and sort it.
    "r.sweep_id = (select id from sweeps where name = $1) and r.in_plan = true and r.idx >= $3
             and ($2 = '[]' or r.state in (",
    elements!("$2"),
    ")) order by r.idx limit $4"
);

/// The runs in the sweep's plan from place `from` on, at most `most`; of all states if `states` is empty.
pub(super) async fn list(
    reader: &mut Connection,
    sweep: &str,
    states: &[RunState],
    from: u32,
    most: u32,
) -> Result<Vec<RunRecord>> {
    page(reader, LIST, sweep, states, (from, most)).await
}

/// The runs of sweep `$1` in states `$2` that are not in its plan, from number `$3` on.
pub(in crate::store) const SET_ASIDE: &str = select_runs!(
    "r.sweep_id = (select id from sweeps where name = $1) and r.in_plan = false and r.number >= $3
             and ($2 = '[]' or r.state in (",
    elements!("$2"),
    ")) order by r.number limit $4"
);

/// The runs of the sweep that are not in its plan, from number `from` on, at most `most`; of all states if `states` is empty.
pub(super) async fn set_aside(
    reader: &mut Connection,
    sweep: &str,
    states: &[RunState],
    from: u32,
    most: u32,
) -> Result<Vec<RunRecord>> {
    page(reader, SET_ASIDE, sweep, states, (from, most)).await
}

async fn page(
    reader: &mut Connection,
    statement: &'static str,
    sweep: &str,
    states: &[RunState],
    (from, most): (u32, u32),
) -> Result<Vec<RunRecord>> {
    let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    let rows = sqlx::query(statement)
        .bind(sweep)
        .bind(serde_json::Value::from(states).to_string())
        .bind(i64::from(from))
        .bind(i64::from(most))
        .fetch_all(reader)
        .await?;
    rows.iter().map(record).collect()
}

/// The runs in the plan of sweep `$1` that ended badly, or failed and go on.
pub(in crate::store) const FAILURES: &str = select_runs!(
        // Word by word the condition of the index `runs_in_trouble`, which is found by that.
        "r.sweep_id = (select id from sweeps where name = $1) and r.in_plan = true
             and (r.state in ('diverged', 'failed', 'lost') or (r.failures > 0 and r.state in ('queued', 'running')))
             order by r.idx limit $2"
    );

/// The runs in the sweep's plan that ended badly, or failed and go on; the first `most`.
pub(super) async fn failures(reader: &mut Connection, sweep: &str, most: u32) -> Result<Vec<RunRecord>> {
    let rows = sqlx::query(FAILURES).bind(sweep).bind(i64::from(most)).fetch_all(&mut *reader).await?;
    rows.iter().map(record).collect()
}

/// Those of these numbers that runs of the sweep have, in order.
pub(super) async fn numbers(reader: &mut Connection, sweep: &str, numbers: &[u32]) -> Result<Vec<u32>> {
    let rows = sqlx::query(concat!(
        "select number from runs where sweep_id = (select id from sweeps where name = $1) and number ",
        is_one_of!("$2"),
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
