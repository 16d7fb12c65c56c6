//! What decides whether a run is trained, as people are told.
//!
//! The cases are those of the table in [`acai_sweep::schedule`], by which claims are granted runs.

use acai_sweep::explain::{Ahead, Situation, WorkerSituation};
use sqlx::Row as _;

use super::columns::{desired, state, unsigned, words_from_json};
use super::dialect::{Connection, Row};
use super::{events, runs};
use crate::store::rules::{ELSEWHERE_MS, is_heard_of};
use crate::store::{Explanation, Result, RunId, RunRecord, StoreError};

/// How many of the run's last events are told.
const EVENTS: u32 = 20;

/// What decides whether run `number` of the sweep is trained; `None` if there is no such run.
pub(super) async fn explain(
    reader: &mut Connection,
    sweep: &str,
    number: u32,
    now_ms: i64,
    silent_ms: i64,
) -> Result<Option<Explanation>> {
    let Some(row) = find(reader, sweep, number).await? else { return Ok(None) };
    let id = row.try_get("id")?;
    let (run, unreadable) = read_if_possible(reader, id).await?;
    Ok(Some(Explanation {
        situation: situation(&row, unreadable, ahead(reader, id).await?)?,
        run,
        workers: worker_situations(reader, id, now_ms, silent_ms).await?,
        events: events::of_run(reader, id, EVENTS).await?,
    }))
}

/// Run `$2` of sweep `$1`, with the limits of the sweep.
pub(in crate::store) const FIND: &str =
    "select r.id, r.state, r.desired, r.failures, r.message, r.dataset, r.in_plan, s.max_restarts, s.paused,
                s.max_concurrent, w.name as worker,
                (select count(*) from runs o where o.sweep_id = s.id and o.state = 'running') as running
         from runs r
         join sweeps s on s.id = r.sweep_id
         left join workers w on w.id = r.worker_id
         where s.name = $1 and r.number = $2";

/// The run's row, with the limits of its sweep.
async fn find(reader: &mut Connection, sweep: &str, number: u32) -> Result<Option<Row>> {
    Ok(sqlx::query(FIND).bind(sweep).bind(i64::from(number)).fetch_optional(reader).await?)
}

/// How many queued runs are granted before run `$1`, by sweep.
pub(in crate::store) const AHEAD: &str = "select name, priority, runs from (
         select p.id, p.name, p.priority,
                (select count(*) from runs o
                 where o.sweep_id = p.id and o.state = 'queued' and o.in_plan = true and o.unreadable is null
                   and (p.id <> s.id or o.idx < r.idx)) as runs
         from runs r
         join sweeps s on s.id = r.sweep_id
         join sweeps p on p.priority > s.priority or (p.priority = s.priority and p.id <= s.id)
         where r.id = $1 and p.paused is null) as ahead
     where runs > 0 order by priority desc, id";

/// How many queued runs are granted before this one, by sweep.
async fn ahead(reader: &mut Connection, run: RunId) -> Result<Vec<Ahead>> {
    let rows = sqlx::query(AHEAD);
    let rows = rows.bind(run).fetch_all(reader).await?;
    let ahead = |row: &Row| {
        Ok(Ahead {
            sweep: row.try_get("name")?,
            priority: row.try_get("priority")?,
            runs: unsigned(row, "runs")?,
        })
    };
    rows.iter().map(ahead).collect()
}

/// The run as it is shown; or why its configuration cannot be read, since people are told what decides about such a run
/// too.
async fn read_if_possible(reader: &mut Connection, id: RunId) -> Result<(Option<RunRecord>, Option<String>)> {
    match runs::fetch(reader, id).await {
        Ok(run) => Ok((run, None)),
        Err(error @ (StoreError::Corrupt(_) | StoreError::OtherVersion(_))) => {
            Ok((None, Some(error.to_string())))
        }
        Err(error) => Err(error),
    }
}

fn situation(row: &Row, unreadable: Option<String>, ahead: Vec<Ahead>) -> Result<Situation> {
    let max_concurrent: Option<i64> = row.try_get("max_concurrent")?;
    Ok(Situation {
        state: state(row)?,
        set_aside: !row.try_get::<bool, _>("in_plan")?,
        desired: desired(row)?,
        worker: row.try_get("worker")?,
        message: row.try_get("message")?,
        failures: unsigned(row, "failures")?,
        max_restarts: unsigned(row, "max_restarts")?,
        sweep_paused: row.try_get("paused")?,
        max_concurrent: max_concurrent.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)),
        running: unsigned(row, "running")?,
        ahead,
        dataset: row.try_get("dataset")?,
        unreadable,
    })
}

/// The last hundred workers that were seen, and whether they could not train run `$1` between the times `$2` and `$3`.
pub(in crate::store) const WORKERS: &str = "select w.name, w.last_seen_ms, w.ended_ms is not null as ended, w.datasets, w.slots, w.resting_slots, w.resting,
                c.worker_name is not null as cordoned,
                (select a.message from attempts a
                 join runs r on r.id = a.run_id
                 join workers o on o.id = a.worker_id
                 where a.run_id = $1 and a.machine_fault = true and a.number > r.faults_after
                   and o.name = w.name and a.ended_ms > $2 and a.ended_ms <= $3
                 order by a.number desc limit 1) as could_not,
                (select count(distinct coalesce(a.joined, a.claim_id || '/' || a.claim_group))
                 from runs r join attempts a on a.run_id = r.id and a.number = r.attempt
                 where r.worker_id = w.id and r.state = 'running') as running
         from workers w
         left join cordons c on c.worker_name = w.name
         order by w.last_seen_ms desc, w.id limit 100";

/// The names of the last hundred workers that were seen, and what is known of each, last seen first. A worker that was
/// not seen for `silent_ms` counts as gone.
async fn worker_situations(
    reader: &mut Connection,
    run: RunId,
    now_ms: i64,
    silent_ms: i64,
) -> Result<Vec<(String, WorkerSituation)>> {
    let rows = sqlx::query(WORKERS)
        .bind(run)
        .bind(now_ms.saturating_sub(ELSEWHERE_MS))
        .bind(now_ms)
        .fetch_all(&mut *reader)
        .await?;
    let situation = |row: &Row| {
        let last_seen_ms: i64 = row.try_get("last_seen_ms")?;
        let situation = WorkerSituation {
            alive: is_heard_of(last_seen_ms, now_ms, silent_ms) && !row.try_get::<bool, _>("ended")?,
            cordoned: row.try_get("cordoned")?,
            datasets: words_from_json(row.try_get("datasets")?)?,
            slots: unsigned(row, "slots")?,
            running: unsigned(row, "running")?,
            resting: unsigned(row, "resting_slots")?,
            resting_because: row.try_get("resting")?,
            could_not: row.try_get("could_not")?,
        };
        Ok((row.try_get("name")?, situation))
    };
    rows.iter().map(situation).collect()
}
