//! What people want of a sweep as a whole, and of machines.

use super::dialect::{Connection, for_update};
use crate::store::{Duty, Result};

/// Changes a sweep's priority and its limit on runs at a time (0: no limit); false if there is no such sweep.
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

/// Says whether workers of this name take runs; answers how many they hold, `None` if there has never been one.
pub(super) async fn set_duty(
    tx: &mut Connection,
    worker: &str,
    duty: Duty,
    now_ms: i64,
) -> Result<Option<u32>> {
    // Locked, so that a claim that was granted runs under the duty so far is counted below, and later claims see the
    // new duty.
    let workers: Vec<String> =
        sqlx::query_scalar(concat!("select id from workers where name = $1 order by id", for_update!()))
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
