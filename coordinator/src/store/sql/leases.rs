//! Who holds which run, and until when: renewals and expiry.

use std::collections::{BTreeSet, HashMap};

use sqlx::Row as _;

use super::attempts::interrupt;
use super::columns::{attempt_ref, desired, unsigned};
use super::dialect::{Connection, Row, among, for_update, skip_locked};
use super::fence;
use super::ids::Ids;
use super::locks;
use super::workers::{none_is_ahead, seen};
use crate::store::outcome::Outcome;
use crate::store::rules::FRESH_TERMS;
use crate::store::{AttemptRef, Duty, Renewal, Result, RunId, SweepId};

/// How many runs one transaction takes from their attempts.
pub(super) const STEP: usize = 100;

/// Extends the leases that these attempts hold to `term_ms` from now. The worker that renews an attempt is the run's
/// holder from now on: the attempt is the proof, since a worker that is started again has another id.
pub(super) async fn renew(
    tx: &mut Connection,
    worker: &str,
    attempts: &[AttemptRef],
    now_ms: i64,
    term_ms: i64,
) -> Result<Renewal> {
    let drained = seen(tx, worker, now_ms).await?.duty == Duty::Drained;
    let holders = holders(tx, attempts).await?;
    let mut renewal = Renewal::default();
    let mut renewed = Vec::with_capacity(attempts.len());
    for &attempt in attempts {
        match holders.get(&attempt.run).filter(|holder| holder.is(attempt)) {
            None => renewal.fenced.push(attempt),
            Some(holder) => {
                renewed.push(attempt.run);
                renewal.yielding.extend((drained || holder.is_to_yield).then_some(attempt));
            }
        }
    }
    extend(tx, worker, &Ids::new(renewed), now_ms, term_ms).await?;
    Ok(renewal)
}

/// The attempt that holds a run.
struct Holder {
    number: u32,
    token: Option<i64>,
    /// Whether its worker is to give the run back: a person asked for that, or the sweep's file has the run no longer.
    is_to_yield: bool,
}

impl Holder {
    fn is(&self, attempt: AttemptRef) -> bool {
        self.number == attempt.number && fence::matches(attempt, self.token)
    }
}

/// The runs `$1` that are being trained, locked.
pub(in crate::store) const HOLDERS: &str = concat!(
    "select id, attempt, token, desired, in_plan from runs where state = 'running' and id ",
    among!("$1"),
    " order by id",
    for_update!()
);

/// The attempts that hold the runs of these attempts, by run. The runs are locked.
async fn holders(tx: &mut Connection, attempts: &[AttemptRef]) -> Result<HashMap<RunId, Holder>> {
    let rows = sqlx::query(HOLDERS)
        .bind(Ids::new(attempts.iter().map(|attempt| attempt.run)).as_json())
        .fetch_all(tx)
        .await?;
    let holder = |row: &Row| {
        let holder = Holder {
            number: unsigned(row, "attempt")?,
            token: row.try_get("token")?,
            is_to_yield: desired(row)?.is_some() || !row.try_get::<bool, _>("in_plan")?,
        };
        Ok((row.try_get("id")?, holder))
    };
    rows.iter().map(holder).collect()
}

/// Gives the leases of runs `$1` a new term.
pub(in crate::store) const EXTEND: &str = concat!(
    "update runs set lease_expires_ms = $2, lease_term_ms = $3, fresh_terms = 0, worker_id = $4 where id ",
    among!("$1")
);

/// Gives the leases of these runs a new term, and the runs to this worker.
async fn extend(tx: &mut Connection, worker: &str, runs: &Ids, now_ms: i64, term_ms: i64) -> Result<()> {
    sqlx::query(EXTEND)
        .bind(runs.as_json())
        .bind(now_ms.saturating_add(term_ms))
        .bind(term_ms)
        .bind(worker)
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes to the disk and changes nothing; answers the time before that.
pub(super) async fn probe(tx: &mut Connection, now_ms: i64) -> Result<i64> {
    sqlx::query("update identity set id = id").execute(tx).await?;
    Ok(now_ms)
}

/// The sweeps of the runs whose lease ended before the time `$1`, as often as they have any: asked for each sweep once, SQLite
/// would read all runs in the order of their sweeps.
pub(in crate::store) const SWEEPS_TO_EXPIRE: &str =
    "select sweep_id from runs where state = 'running' and lease_expires_ms < $1";

/// The sweeps that have runs whose lease ended before this time.
pub(super) async fn sweeps_to_expire(reader: &mut Connection, before_ms: i64) -> Result<Vec<SweepId>> {
    let sweeps: Vec<SweepId> =
        sqlx::query_scalar(SWEEPS_TO_EXPIRE).bind(before_ms).fetch_all(&mut *reader).await?;
    Ok(sweeps.into_iter().collect::<BTreeSet<_>>().into_iter().collect())
}

/// Runs of sweep `$1` whose lease ended before the time `$2`, locked.
pub(in crate::store) const EXPIRED: &str = concat!(
    "select id, attempt as number, token from runs
         where sweep_id = $1 and state = 'running' and lease_expires_ms < $2 order by id limit $3",
    skip_locked!()
);

/// Takes runs of the sweep whose lease ended before this time from their attempts, at most [`STEP`] runs.
pub(super) async fn expire(
    tx: &mut Connection,
    sweep_id: SweepId,
    before_ms: i64,
    now_ms: i64,
) -> Result<Vec<AttemptRef>> {
    locks::sweep(tx, sweep_id).await?;
    // The rows are locked until they are changed, so that no renewal comes in between.
    let rows = sqlx::query(EXPIRED)
        .bind(sweep_id)
        .bind(before_ms)
        .bind(i64::try_from(STEP).unwrap_or(i64::MAX))
        .fetch_all(&mut *tx)
        .await?;
    let mut lost = Vec::with_capacity(rows.len());
    for row in &rows {
        let attempt = attempt_ref(row)?;
        interrupt(tx, attempt, Outcome::Lost, Some("its worker stopped renewing the lease"), now_ms).await?;
        lost.push(attempt);
    }
    Ok(lost)
}

/// Gives running leases a fresh term, of the length that their workers know or of `term_ms` where that is longer.
///
/// A lease that was given [`FRESH_TERMS`] of them since it was last renewed is left to its end: its worker had time to
/// renew it. After this, no lease ends later than a fresh term would, and no worker was last heard of later than now, even
/// if the clock was set back since.
pub(super) async fn grant_fresh_terms(tx: &mut Connection, now_ms: i64, term_ms: i64) -> Result<u64> {
    none_is_ahead(tx, now_ms).await?;
    let running: Vec<RunId> = sqlx::query_scalar(concat!(
        "select id from runs
         where state = 'running' and (lease_expires_ms > $1 + case when lease_term_ms > $2 then lease_term_ms else $2 end
             or (fresh_terms < $3
                 and lease_expires_ms < $1 + case when lease_term_ms > $2 then lease_term_ms else $2 end))
         order by id",
        for_update!()
    ))
    .bind(now_ms)
    .bind(term_ms)
    .bind(i64::from(FRESH_TERMS))
    .fetch_all(&mut *tx)
    .await?;
    let count = running.len() as u64;
    sqlx::query(concat!(
        "update runs set fresh_terms = fresh_terms + 1,
             lease_expires_ms = $2 + case when lease_term_ms > $3 then lease_term_ms else $3 end
         where id ",
        among!("$1")
    ))
    .bind(Ids::new(running).as_json())
    .bind(now_ms)
    .bind(term_ms)
    .execute(tx)
    .await?;
    Ok(count)
}
