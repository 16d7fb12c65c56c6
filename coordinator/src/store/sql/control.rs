//! What people want of sweeps and machines, and what decides about a run.

use acai_sweep::explain::{Situation, WorkerSituation};
use sqlx::Row as _;

use super::claims::queue::ELSEWHERE_MS;
use super::columns::{desired, state, unsigned, words_from_json};
use super::dialect::{Connection, Row};
use super::events;
use super::runs;
use crate::store::{Duty, Explanation, Result, StoreError};

/// Pauses the sweep if more of its runs ended badly since it was last resumed than it allows.
pub(super) async fn pause_if_too_many_failed(tx: &mut Connection, sweep_id: i64) -> Result<()> {
    sqlx::query(
        "update sweeps set paused = max_failed_runs || ' runs failed, as many as max_failed_runs allows'
         where id = $1 and paused is null and max_failed_runs <=
            (select count(*) from runs where sweep_id = $1 and in_plan = true and state in ('failed', 'lost'))
            - failed_at_resume",
    )
    .bind(sweep_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Runs that have failed, were queued again or left the plan, and fail once more, count towards `max_failed_runs` again.
pub(super) async fn forget_failures_undone(tx: &mut Connection, sweep_id: i64) -> Result<()> {
    sqlx::query(
        "update sweeps set failed_at_resume = still.failed
         from (select count(*) as failed from runs
               where sweep_id = $1 and in_plan = true and state in ('failed', 'lost')) as still
         where id = $1 and failed_at_resume > still.failed",
    )
    .bind(sweep_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// False if there is no such sweep.
pub(super) async fn set_limits(
    tx: &mut Connection,
    sweep: &str,
    priority: Option<i64>,
    max_concurrent: Option<u32>,
) -> Result<bool> {
    let changed = sqlx::query(
        "update sweeps set priority = coalesce($2, priority),
             max_concurrent = case when $3 is null then max_concurrent when $3 = 0 then null else $3 end
         where name = $1",
    )
    .bind(sweep)
    .bind(priority)
    .bind(max_concurrent.map(i64::from))
    .execute(tx)
    .await?;
    Ok(changed.rows_affected() > 0)
}

/// How many runs workers of this name hold; `None` if there has never been one.
pub(super) async fn set_duty(
    tx: &mut Connection,
    worker: &str,
    duty: Duty,
    now_ms: i64,
) -> Result<Option<u32>> {
    // Locked, so that a claim that is granted runs by its duty so far is counted, and later ones know the new one.
    let workers: Vec<String> = sqlx::query_scalar(concat!(
        "select id from workers where name = $1 order by id",
        super::dialect::for_update!()
    ))
    .bind(worker)
    .fetch_all(&mut *tx)
    .await?;
    if workers.is_empty() {
        return Ok(None);
    }
    match duty {
        Duty::Open => {
            sqlx::query("delete from cordons where worker_name = $1").bind(worker).execute(&mut *tx).await?;
        }
        Duty::Cordoned | Duty::Drained => {
            sqlx::query(
                "insert into cordons (worker_name, drain, since_ms) values ($1, $2, $3)
                 on conflict (worker_name) do update set drain = excluded.drain",
            )
            .bind(worker)
            .bind(duty == Duty::Drained)
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
        }
    }
    let running: i64 = sqlx::query_scalar(
        "select count(*) from runs r join workers w on w.id = r.worker_id where w.name = $1 and r.state = 'running'",
    )
    .bind(worker)
    .fetch_one(tx)
    .await?;
    Ok(Some(u32::try_from(running).unwrap_or(u32::MAX)))
}

/// What decides whether the run at `index` of the sweep's plan is trained.
pub(super) async fn explain(
    reader: &mut Connection,
    sweep: &str,
    index: u32,
    now_ms: i64,
    silent_ms: i64,
) -> Result<Option<Explanation>> {
    let row = sqlx::query(
        "select r.id, r.state, r.desired, r.failures, r.message, r.dataset, s.max_restarts, s.paused, s.max_concurrent,
                w.name as worker,
                (select count(*) from runs o where o.sweep_id = s.id and o.state = 'running') as running,
                (select count(*) from runs o join sweeps p on p.id = o.sweep_id
                 where o.state = 'queued' and o.in_plan = true and o.unreadable is null and p.paused is null
                   and (p.priority > s.priority or (p.priority = s.priority and p.id < s.id)
                        or (p.id = s.id and o.idx < r.idx))) as ahead
         from runs r
         join sweeps s on s.id = r.sweep_id
         left join workers w on w.id = r.worker_id
         where s.name = $1 and r.idx = $2 and r.in_plan = true",
    )
    .bind(sweep)
    .bind(i64::from(index))
    .fetch_optional(&mut *reader)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let max_concurrent: Option<i64> = row.try_get("max_concurrent")?;
    let id = unsigned(&row, "id")?;
    // What decides about a run is told of one that cannot be read too.
    let (run, unreadable) = match runs::fetch(reader, id).await {
        Ok(run) => (run, None),
        Err(error @ (StoreError::Corrupt(_) | StoreError::OtherVersion(_))) => {
            (None, Some(error.to_string()))
        }
        Err(error) => return Err(error),
    };
    let situation = Situation {
        state: state(&row)?,
        desired: desired(&row)?,
        worker: row.try_get("worker")?,
        message: row.try_get("message")?,
        failures: unsigned(&row, "failures")?,
        max_restarts: unsigned(&row, "max_restarts")?,
        sweep_paused: row.try_get("paused")?,
        max_concurrent: max_concurrent.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)),
        running: unsigned(&row, "running")?,
        ahead: unsigned(&row, "ahead")?,
        dataset: row.try_get("dataset")?,
        unreadable,
    };
    Ok(Some(Explanation {
        situation,
        run,
        workers: worker_situations(reader, id, now_ms, silent_ms).await?,
        events: events::of_run(reader, sweep, id, 20).await?,
    }))
}

async fn worker_situations(
    reader: &mut Connection,
    run: u64,
    now_ms: i64,
    silent_ms: i64,
) -> Result<Vec<(String, WorkerSituation)>> {
    let rows = sqlx::query(
        "select w.name, w.last_seen_ms, w.ended_ms is not null as ended, w.datasets, w.slots, w.resting_slots, w.resting,
                c.worker_name is not null as cordoned,
                (select a.message from attempts a
                 join runs r on r.id = a.run_id
                 join workers o on o.id = a.worker_id
                 where a.run_id = $1 and a.machine_fault = true and a.number > r.faults_after
                   and o.name = w.name and a.ended_ms > $2 and a.ended_ms <= $3
                 order by a.number desc limit 1) as could_not,
                (select count(distinct a.claim_id || '/' || a.claim_group)
                 from runs r join attempts a on a.run_id = r.id and a.number = r.attempt
                 where r.worker_id = w.id and r.state = 'running') as running
         from workers w
         left join cordons c on c.worker_name = w.name
         order by w.last_seen_ms desc, w.id limit 100",
    )
    .bind(run.cast_signed())
    .bind(now_ms.saturating_sub(ELSEWHERE_MS))
    .bind(now_ms)
    .fetch_all(&mut *reader)
    .await?;
    let situation = |row: &Row| {
        let last_seen_ms: i64 = row.try_get("last_seen_ms")?;
        let situation = WorkerSituation {
            alive: now_ms - last_seen_ms < silent_ms && !row.try_get::<bool, _>("ended")?,
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
