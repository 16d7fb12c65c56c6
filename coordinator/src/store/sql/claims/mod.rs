//! Claims: which queued runs a worker is granted.
//!
//! The rule, with all its cases, is the table in [`acai_sweep::schedule`]. Of its parts, [`claim`] decides whether this
//! claim is granted anything, [`queue`] finds the runs that may start and puts them in order, and [`start`] starts an
//! attempt at each run that was chosen, which may go on from a shorter run ([`lengthening`]). [`grants`] reads what a claim was granted, also for one that is repeated.

mod grants;
mod lengthening;
pub(in crate::store) mod queue;
mod start;

use super::dialect::Connection;
use super::workers::seen;
use crate::store::rules::choose;
use crate::store::{Claim, Duty, Result, RunId, SweepId};

pub(super) use grants::granted;
use queue::Queue;
#[cfg(test)]
pub(super) use {grants::GRANTED, lengthening::SHORTER};

/// Starts attempts at queued runs for a worker, if the worker takes runs and waits for the answer to this claim.
pub(super) async fn claim(tx: &mut Connection, claim: &Claim, now_ms: i64, term_ms: i64) -> Result<()> {
    let worker = seen(tx, &claim.worker, now_ms).await?;
    if is_awaited(tx, claim).await? && worker.duty == Duty::Open {
        let Queue { candidates, lengthening, headroom } =
            queue::queue(tx, &worker, claim.offer, now_ms).await?;
        let groups = choose(claim, &candidates, headroom);
        let groups: Vec<Vec<RunId>> =
            groups.into_iter().map(|runs| runs.into_iter().map(RunId::from).collect()).collect();
        let sweeps = candidates
            .iter()
            .map(|candidate| (RunId::from(candidate.run), SweepId::from(candidate.sweep)))
            .collect();
        let lengthening = groups.iter().flatten().copied().filter(|run| lengthening.contains(run));
        lengthening::take_over(tx, lengthening.collect(), now_ms).await?;
        start::start_attempts(tx, claim, &groups, &sweeps, now_ms, term_ms).await?;
    }
    Ok(())
}

/// Whether the worker still waits for the answer to this claim: it has not ended, and neither this claim nor a later
/// one was answered before. The claim counts as answered from now on. A claim without a number comes from a worker of
/// the release before; only the runs that it was granted show that it was answered.
async fn is_awaited(tx: &mut Connection, claim: &Claim) -> Result<bool> {
    if claim.number == 0 {
        return Ok(sqlx::query_scalar(
            "select not exists (select 1 from attempts where claim_id = $1 and worker_id = $2)",
        )
        .bind(&claim.id)
        .bind(&claim.worker)
        .fetch_one(tx)
        .await?);
    }
    let answered =
        sqlx::query("update workers set claims = $2 where id = $1 and claims < $2 and ended_ms is null")
            .bind(&claim.worker)
            .bind(claim.number.cast_signed())
            .execute(tx)
            .await?;
    Ok(answered.rows_affected() > 0)
}
