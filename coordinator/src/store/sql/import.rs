//! A sweep that comes from elsewhere, with what its runs have come to.

use std::collections::BTreeSet;

use acai_sweep::run::RunState;

use super::dialect::Connection;
use super::events::{self, Cause};
use super::ids::Ids;
use super::{allowance, artifacts, blobs, metrics, results, submission};
use crate::store::rules::storable;
use crate::store::{AttemptRef, ImportedRun, NewSweep, Point, Result, RunId, StoreError, SweepId};

/// Points that are inserted at a time.
const POINTS: usize = 1000;
/// The number of the attempt that points are of which no attempt here has brought.
const NO_ATTEMPT: u32 = 0;

/// Stores the sweep and the ends of its runs; false if there is a sweep of that name.
pub(super) async fn import(
    tx: &mut Connection,
    sweep: &NewSweep,
    runs: &[ImportedRun],
    now_ms: i64,
) -> Result<bool> {
    let known: Option<SweepId> = sqlx::query_scalar("select id from sweeps where name = $1")
        .bind(&sweep.name)
        .fetch_optional(&mut *tx)
        .await?;
    if known.is_some() {
        return Ok(false);
    }
    submission::submit(tx, sweep, now_ms).await?;
    if let Some(who) = &sweep.submitter {
        let files = runs.iter().flat_map(|run| &run.artifacts);
        let bytes = files.fold(0_u64, |bytes, (artifact, _)| bytes.saturating_add(artifact.bytes));
        allowance::check_bytes(tx, who, bytes).await?;
    }
    let sweep_id: SweepId = sqlx::query_scalar("select id from sweeps where name = $1")
        .bind(&sweep.name)
        .fetch_one(&mut *tx)
        .await?;
    // Two imports of the same files lock them in one order.
    let blobs: BTreeSet<&str> =
        runs.iter().flat_map(|run| &run.artifacts).map(|(artifact, _)| artifact.sha256.as_str()).collect();
    for sha256 in blobs {
        blobs::touch(tx, sha256, now_ms).await?;
        if let Some(who) = &sweep.submitter {
            allowance::arrived(tx, who, sha256).await?;
        }
    }
    let mut ended = Vec::with_capacity(runs.len());
    for run in runs {
        let id = end(tx, sweep_id, run, now_ms).await?;
        let attempt = AttemptRef { run: id, number: NO_ATTEMPT, token: AttemptRef::NO_TOKEN };
        for (metric, curve) in &run.curves {
            let point = |&(step, value): &(u64, f64)| Point { name: metric.clone(), step, value };
            for part in curve.chunks(POINTS) {
                metrics::insert(tx, attempt, &metrics::storable(part.iter().map(point).collect())).await?;
            }
        }
        for (artifact, brought_by) in &run.artifacts {
            artifacts::keep(tx, (id, *brought_by), artifact, now_ms).await?;
        }
        if run.state == RunState::Completed {
            results::keep(tx, id).await?;
        }
        ended.push(id);
    }
    events::note(tx, sweep_id, &Ids::new(ended), Cause::Person, Some("imported"), now_ms).await?;
    Ok(true)
}

/// Puts a run where it had come to; answers its id.
async fn end(tx: &mut Connection, sweep_id: SweepId, run: &ImportedRun, now_ms: i64) -> Result<RunId> {
    let ended: Option<RunId> = sqlx::query_scalar(
        "update runs set state = $4, step = case when $5 < total_steps then $5 else total_steps end, failures = $6, message = $7, finished_ms = $8
         where sweep_id = $1 and config_hash = $2 and seed = $3
         returning id",
    )
    .bind(sweep_id)
    .bind(&run.config_hash)
    .bind(run.seed.cast_signed())
    .bind(run.state.as_str())
    .bind(run.step.cast_signed())
    .bind(i64::from(run.failures))
    .bind(run.message.as_deref().map(storable))
    .bind(now_ms)
    .fetch_optional(tx)
    .await?;
    ended.ok_or_else(|| {
        let ImportedRun { config_hash, seed, .. } = run;
        StoreError::Conflict(format!(
            "the sweep's file asks for no run of configuration {config_hash} and seed {seed}"
        ))
    })
}
