//! The limit `max_failed_runs`: how many runs of a sweep's plan may end badly before the sweep pauses.
//!
//! Runs that had ended badly when a person resumed the sweep do not count again: `failed_at_resume` says how many.

use super::dialect::Connection;
use crate::store::{Result, SweepId};

/// How many runs in the plan of sweep `$1` have ended badly.
macro_rules! failed_runs {
    () => {
        "(select cast(coalesce(sum(runs), 0) as bigint) from tallies
          where sweep_id = $1 and in_plan = true and state in ('failed', 'lost'))"
    };
}
pub(super) use failed_runs;

/// Pauses the sweep if, since it was last resumed, as many of its runs have ended badly as it allows.
pub(super) async fn pause_if_too_many_failed(tx: &mut Connection, sweep_id: SweepId) -> Result<()> {
    sqlx::query(concat!(
        "update sweeps set paused = max_failed_runs || case max_failed_runs when 1 then ' run' else ' runs' end
            || ' failed, as many as max_failed_runs allows'
         where id = $1 and paused is null and max_failed_runs <= ",
        failed_runs!(),
        " - failed_at_resume",
    ))
    .bind(sweep_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Lets runs count towards the limit again that had ended badly before the sweep was resumed, were queued again or left
/// the plan since, and end badly once more.
pub(super) async fn forget_failures_undone(tx: &mut Connection, sweep_id: SweepId) -> Result<()> {
    sqlx::query(concat!(
        "update sweeps set failed_at_resume = ",
        failed_runs!(),
        " where id = $1 and failed_at_resume > ",
        failed_runs!()
    ))
    .bind(sweep_id)
    .execute(tx)
    .await?;
    Ok(())
}
