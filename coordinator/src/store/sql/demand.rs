//! How much there is to do, from the tallies alone: nobody counts runs for that.

use std::collections::BTreeMap;

use acai_sweep::run::RunState;
use sqlx::Row as _;

use super::columns::{state, unsigned};
use super::dialect::{Connection, Row};
use crate::store::{Demand, Result};

/// The runs in plans, by sweep, state and dataset.
pub(in crate::store) const TALLIED: &str =
    "select t.sweep_id, t.state, t.dataset, t.runs, s.max_concurrent, s.paused is not null as is_paused,
            (select cast(coalesce(sum(n.runs), 0) as bigint) from tallies n
             where n.sweep_id = t.sweep_id and n.state = 'running') as running
     from tallies t join sweeps s on s.id = t.sweep_id
     where t.in_plan = true and t.runs > 0
     order by t.sweep_id, t.dataset";

/// When the run was queued that is first in the queue of a sweep, of each sweep that is not paused; the earliest.
pub(in crate::store) const WAITING_SINCE: &str = "select min(f.queued_ms) from
        (select (select r.queued_ms from runs r
                 where r.sweep_id = s.id and r.state = 'queued' and r.in_plan = true
                 order by r.idx limit 1) as queued_ms
         from sweeps s where s.paused is null) f";

/// How much there is to do.
pub(super) async fn demand(reader: &mut Connection) -> Result<Demand> {
    let mut demand = Demand::default();
    // What the limits of sweeps leave.
    let mut left = BTreeMap::<i64, u64>::new();
    for row in &sqlx::query(TALLIED).fetch_all(&mut *reader).await? {
        let (state, runs): (RunState, u64) = (state(row)?, unsigned(row, "runs")?);
        *demand.runs.entry(state).or_default() += runs;
        if state == RunState::Queued && !row.try_get::<bool, _>("is_paused")? {
            let left = left.entry(row.try_get("sweep_id")?).or_insert(free(row)?);
            let startable = runs.min(*left);
            *left -= startable;
            *demand.startable.entry(row.try_get("dataset")?).or_default() += startable;
        }
    }
    demand.startable.retain(|_, runs| *runs > 0);
    demand.waiting_since_ms = sqlx::query_scalar(WAITING_SINCE).fetch_one(reader).await?;
    Ok(demand)
}

/// How many more runs the sweep of this tally may start.
fn free(row: &Row) -> Result<u64> {
    let Some(limit) = row.try_get::<Option<i64>, _>("max_concurrent")? else { return Ok(u64::MAX) };
    let running: i64 = row.try_get("running")?;
    Ok(u64::try_from(limit.saturating_sub(running)).unwrap_or(0))
}
