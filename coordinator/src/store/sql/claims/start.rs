//! Attempts at the runs that a claim is granted.

use std::collections::{BTreeMap, HashMap};

use super::super::dialect::{Connection, items};
use super::super::events::{self, Cause};
use super::super::ids::Ids;
use crate::store::{Claim, Result, RunId, SweepId};

/// Starts an attempt at each run of the groups, whose rows are locked; `sweeps` says which sweep each run is of.
pub(super) async fn start_attempts(
    tx: &mut Connection,
    claim: &Claim,
    groups: &[Vec<RunId>],
    sweeps: &HashMap<RunId, SweepId>,
    now_ms: i64,
    term_ms: i64,
) -> Result<()> {
    let starts = with_tokens(groups);
    start_runs(tx, claim, &starts, now_ms, term_ms).await?;
    insert_attempts(tx, claim, &starts, now_ms).await?;
    for (sweep_id, runs) in by_sweep(groups, sweeps) {
        events::note(tx, sweep_id, &Ids::new(runs), Cause::Attempt, None, now_ms).await?;
    }
    Ok(())
}

/// Each run with its group and a random token for its attempt: a JSON array of `[run, group, token]`.
fn with_tokens(groups: &[Vec<RunId>]) -> String {
    let mut starts = Vec::new();
    for (group, runs) in groups.iter().enumerate() {
        for run in runs {
            starts.push((i64::from(*run), group, rand::random_range(1..=u64::MAX).cast_signed()));
        }
    }
    serde_json::json!(starts).to_string()
}

/// The runs of the groups by their sweep, in order.
fn by_sweep(groups: &[Vec<RunId>], sweeps: &HashMap<RunId, SweepId>) -> BTreeMap<SweepId, Vec<RunId>> {
    let mut by_sweep = BTreeMap::<SweepId, Vec<RunId>>::new();
    for run in groups.iter().flatten() {
        if let Some(&sweep_id) = sweeps.get(run) {
            by_sweep.entry(sweep_id).or_default().push(*run);
        }
    }
    by_sweep
}

/// Gives the runs of `starts` to the claim's worker, each with the token of its next attempt.
async fn start_runs(
    tx: &mut Connection,
    claim: &Claim,
    starts: &str,
    now_ms: i64,
    term_ms: i64,
) -> Result<()> {
    sqlx::query(concat!(
        "update runs set state = 'running', attempt = attempt + 1, worker_id = $2, lease_expires_ms = $3,
                         lease_term_ms = $4, fresh_terms = 0, token = start.token,
                         step = coalesce((select max(c.step) from checkpoints c
                                          where c.run_id = runs.id and c.state = 'committed'), 0)
         from (select cast(value ->> 0 as bigint) as run, cast(value ->> 2 as bigint) as token from ",
        items!("$1"),
        ") as start
         where runs.id = start.run and runs.state = 'queued'"
    ))
    .bind(starts)
    .bind(&claim.worker)
    .bind(now_ms.saturating_add(term_ms))
    .bind(term_ms)
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds the attempts that the runs of `starts` have just begun.
async fn insert_attempts(tx: &mut Connection, claim: &Claim, starts: &str, now_ms: i64) -> Result<()> {
    sqlx::query(concat!(
        "insert into attempts (run_id, number, worker_id, claim_id, claim_group, joined, started_ms, token)
         select r.id, r.attempt, $2, $3, start.position, $5, $4, r.token
         from (select cast(value ->> 0 as bigint) as run, cast(value ->> 1 as bigint) as position from ",
        items!("$1"),
        ") as start
         join runs r on r.id = start.run"
    ))
    .bind(starts)
    .bind(&claim.worker)
    .bind(&claim.id)
    .bind(now_ms)
    .bind(claim.joins.as_ref().map(|joins| &joins.group))
    .execute(tx)
    .await?;
    Ok(())
}
