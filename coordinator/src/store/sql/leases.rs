//! Who holds which run, and until when.

use std::collections::{BTreeMap, HashMap};

use acai_sweep::schedule::choose_groups;
use sqlx::Row as _;

use super::attempts::{Outcome, interrupt};
use super::checkpoints;
use super::columns::{attempt_ref, configuration, desired, seed, token, unsigned};
use super::dialect::{Connection, Row};
use super::dialect::{among, for_update, items, skip_locked};
use super::events::{self, Cause};
use super::fence;
use super::ids::Ids;
use super::locks;
use super::queue::queue;
use super::workers::seen;
use crate::store::{AttemptRef, Claim, Duty, EarlierAttempt, Grant, Renewal, Result};

/// Fresh terms that a lease is given, one at each start of a coordinator, until its worker renews it.
const FRESH_TERMS: i64 = 3;
/// Runs that one transaction takes from their attempts.
pub(super) const STEP: usize = 100;

/// Starts attempts at queued runs for a worker, if its claim is one that it waits for.
pub(super) async fn claim(tx: &mut Connection, claim: &Claim, now_ms: i64, term_ms: i64) -> Result<()> {
    let worker = seen(tx, &claim.worker, now_ms).await?;
    if is_awaited(tx, claim).await? && worker.duty == Duty::Open {
        let (candidates, headroom) = queue(tx, &worker, claim.offer, now_ms).await?;
        let groups = choose_groups(&candidates, headroom, claim.offer);
        let sweeps = candidates.iter().map(|candidate| (candidate.run, candidate.sweep)).collect();
        start_attempts(tx, claim, &groups, &sweeps, now_ms, term_ms).await?;
    }
    Ok(())
}

/// Whether neither this claim nor a later one of its worker has been answered, and the worker is there; from now on, it
/// has. Of a claim without a number, as workers of the release before send it, only what it was granted shows that it was
/// answered.
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

/// Starts an attempt at each run of the groups, which are locked; `sweeps` has theirs.
async fn start_attempts(
    tx: &mut Connection,
    claim: &Claim,
    groups: &[Vec<u64>],
    sweeps: &HashMap<u64, i64>,
    now_ms: i64,
    term_ms: i64,
) -> Result<()> {
    let (mut starts, mut by_sweep) = (Vec::new(), BTreeMap::<i64, Vec<i64>>::new());
    for (group, runs) in groups.iter().enumerate() {
        for run in runs {
            starts.push((run.cast_signed(), group, rand::random_range(1..=u64::MAX).cast_signed()));
            if let Some(&sweep_id) = sweeps.get(run) {
                by_sweep.entry(sweep_id).or_default().push(run.cast_signed());
            }
        }
    }
    let starts = serde_json::json!(starts).to_string();
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
    .bind(&starts)
    .bind(&claim.worker)
    .bind(now_ms.saturating_add(term_ms))
    .bind(term_ms)
    .execute(&mut *tx)
    .await?;
    sqlx::query(concat!(
        "insert into attempts (run_id, number, worker_id, claim_id, claim_group, started_ms, token)
         select r.id, r.attempt, $2, $3, start.position, $4, r.token
         from (select cast(value ->> 0 as bigint) as run, cast(value ->> 1 as bigint) as position from ",
        items!("$1"),
        ") as start
         join runs r on r.id = start.run"
    ))
    .bind(&starts)
    .bind(&claim.worker)
    .bind(&claim.id)
    .bind(now_ms)
    .execute(&mut *tx)
    .await?;
    for (sweep_id, runs) in by_sweep {
        events::note(tx, sweep_id, &Ids::new(runs), Cause::Attempt, None, now_ms).await?;
    }
    Ok(())
}

/// What this claim was given and still holds.
pub(super) async fn granted(reader: &mut Connection, claim: &Claim) -> Result<Vec<Grant>> {
    let rows = sqlx::query(
        "select r.id, r.idx, r.seed, r.config, r.void_attempts, a.number, a.token, a.claim_group, s.name as sweep, s.checkpoint_kimg
         from attempts a
         join runs r on r.id = a.run_id and r.attempt = a.number and r.state = 'running'
         join sweeps s on s.id = r.sweep_id
         where a.claim_id = $1 and a.worker_id = $2
         order by a.claim_group, r.idx",
    )
    .bind(&claim.id)
    .bind(&claim.worker)
    .fetch_all(&mut *reader)
    .await?;
    let mut grants: Vec<Grant> = rows.iter().map(grant).collect::<Result<_>>()?;
    for grant in &mut grants {
        grant.checkpoints = checkpoints::of_run(reader, grant.attempt.run).await?;
        grant.earlier_attempts = earlier_attempts(reader, grant.attempt).await?;
    }
    Ok(grants)
}

/// Earlier attempts that a grant tells of at the most. A checkpoint that an even earlier one left on a worker's machine is
/// not gone on from; the coordinator's own is.
const EARLIER_ATTEMPTS: i64 = 64;

async fn earlier_attempts(tx: &mut Connection, attempt: AttemptRef) -> Result<Vec<EarlierAttempt>> {
    let rows = sqlx::query(
        "select number, token, acked_seq from attempts where run_id = $1 and number < $2
         order by number desc limit $3",
    )
    .bind(attempt.run.cast_signed())
    .bind(i64::from(attempt.number))
    .bind(EARLIER_ATTEMPTS)
    .fetch_all(tx)
    .await?;
    let earlier = |row: &Row| {
        Ok(EarlierAttempt {
            number: unsigned(row, "number")?,
            token: token(row)?,
            acked_seq: unsigned(row, "acked_seq")?,
        })
    };
    rows.iter().map(earlier).collect()
}

fn grant(row: &Row) -> Result<Grant> {
    Ok(Grant {
        attempt: attempt_ref(row)?,
        group: unsigned(row, "claim_group")?,
        sweep: row.try_get("sweep")?,
        index: unsigned(row, "idx")?,
        seed: seed(row)?,
        configuration: configuration(row)?,
        checkpoint_kimg: row.try_get("checkpoint_kimg")?,
        checkpoints: Vec::new(),
        void_attempts: unsigned(row, "void_attempts")?,
        earlier_attempts: Vec::new(),
    })
}

pub(super) async fn renew(
    tx: &mut Connection,
    worker: &str,
    attempts: &[AttemptRef],
    now_ms: i64,
    term_ms: i64,
) -> Result<Renewal> {
    let drained = seen(tx, worker, now_ms).await?.duty == Duty::Drained;
    let rows = sqlx::query(concat!(
        "select id, attempt, token, desired, in_plan from runs where state = 'running' and id ",
        among!("$1"),
        " order by id",
        for_update!()
    ))
    .bind(Ids::new(attempts.iter().map(|attempt| attempt.run.cast_signed())).as_json())
    .fetch_all(&mut *tx)
    .await?;
    let mut held = HashMap::with_capacity(rows.len());
    for row in &rows {
        // A run that the file no longer asks for is not trained on.
        let yields = drained || desired(row)?.is_some() || !row.try_get::<bool, _>("in_plan")?;
        let holder: (u32, Option<i64>, bool) = (unsigned(row, "attempt")?, row.try_get("token")?, yields);
        held.insert(unsigned::<u64>(row, "id")?, holder);
    }
    let mut renewal = Renewal::default();
    let mut renewed = Vec::with_capacity(attempts.len());
    for &attempt in attempts {
        let held = held
            .get(&attempt.run)
            .filter(|(number, token, _)| *number == attempt.number && fence::matches(attempt, *token));
        match held {
            None => renewal.fenced.push(attempt),
            Some((_, _, yields)) => {
                renewed.push(attempt.run.cast_signed());
                renewal.yielding.extend(yields.then_some(attempt));
            }
        }
    }
    sqlx::query(concat!(
        "update runs set lease_expires_ms = $2, lease_term_ms = $3, fresh_terms = 0, worker_id = $4 where id ",
        among!("$1")
    ))
    .bind(Ids::new(renewed).as_json())
    .bind(now_ms.saturating_add(term_ms))
    .bind(term_ms)
    .bind(worker)
    .execute(tx)
    .await?;
    Ok(renewal)
}

/// Writes to the disk what is there already; answers the time before.
pub(super) async fn probe(tx: &mut Connection, now_ms: i64) -> Result<i64> {
    sqlx::query("update identity set id = id").execute(tx).await?;
    Ok(now_ms)
}

/// The sweeps that have runs whose lease ended before this time.
pub(super) async fn sweeps_to_expire(reader: &mut Connection, before_ms: i64) -> Result<Vec<i64>> {
    let ended = "select distinct sweep_id from runs where state = 'running' and lease_expires_ms < $1";
    Ok(sqlx::query_scalar(ended).bind(before_ms).fetch_all(&mut *reader).await?)
}

/// Takes runs of the sweep whose lease ended before this time from their attempts, [`STEP`] of them at the most.
pub(super) async fn expire(
    tx: &mut Connection,
    sweep_id: i64,
    before_ms: i64,
    now_ms: i64,
) -> Result<Vec<AttemptRef>> {
    locks::sweep(tx, sweep_id).await?;
    // Locked until they are changed: a renewal comes before or after, never between.
    let rows = sqlx::query(concat!(
        "select id, attempt as number, token from runs
         where sweep_id = $1 and state = 'running' and lease_expires_ms < $2 order by id limit $3",
        skip_locked!()
    ))
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
/// A lease that was not renewed since it was given some is left to its end: workers whose coordinator starts again and
/// again have had their chance. None ends later than a fresh term would, whatever became of the clock meanwhile.
pub(super) async fn grant_fresh_terms(tx: &mut Connection, now_ms: i64, term_ms: i64) -> Result<u64> {
    let running: Vec<i64> = sqlx::query_scalar(concat!(
        "select id from runs
         where state = 'running' and (lease_expires_ms > $1 + case when lease_term_ms > $2 then lease_term_ms else $2 end
             or (fresh_terms < $3
                 and lease_expires_ms < $1 + case when lease_term_ms > $2 then lease_term_ms else $2 end))
         order by id",
        for_update!()
    ))
    .bind(now_ms)
    .bind(term_ms)
    .bind(FRESH_TERMS)
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
