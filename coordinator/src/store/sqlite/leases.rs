//! Who holds which run, and until when.

use std::collections::BTreeMap;

use acai_sweep::schedule::{Candidate, Offer, choose_groups};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::runs::{configuration, seed, unsigned};
use super::workers::seen;
use crate::store::{AttemptRef, Claim, Grant, Result};

pub(super) async fn claim(
    tx: &mut SqliteConnection,
    claim: Claim,
    now_ms: i64,
    lease_expires_ms: i64,
) -> Result<Vec<Grant>> {
    let datasets = seen(tx, &claim.worker, now_ms).await?;
    if !was_answered(tx, &claim).await? {
        let (candidates, headroom) = queue(tx, &datasets, claim.offer).await?;
        for (group, runs) in choose_groups(&candidates, headroom, claim.offer).into_iter().enumerate() {
            for run in runs {
                start_attempt(tx, &claim, group, run, now_ms, lease_expires_ms).await?;
            }
        }
    }
    granted(tx, &claim).await
}

async fn was_answered(tx: &mut SqliteConnection, claim: &Claim) -> Result<bool> {
    Ok(sqlx::query_scalar("select exists (select 1 from attempts where claim_id = $1 and worker_id = $2)")
        .bind(&claim.id)
        .bind(&claim.worker)
        .fetch_one(tx)
        .await?)
}

/// The runs that could start, in order, and how many more each limited sweep may start.
async fn queue(
    tx: &mut SqliteConnection,
    datasets: &str,
    offer: Offer,
) -> Result<(Vec<Candidate>, BTreeMap<i64, u32>)> {
    let sweeps = sqlx::query(
        "select s.id, s.max_concurrent,
                (select count(*) from runs r where r.sweep_id = s.id and r.state = 'running') as running
         from sweeps s
         where exists (select 1 from runs r where r.sweep_id = s.id and r.state = 'queued' and r.in_plan = 1)
         order by s.priority desc, s.id",
    )
    .fetch_all(&mut *tx)
    .await?;
    // Enough to fill every group even if the first runs of each shape are far apart.
    let wanted =
        usize::try_from(u64::from(offer.groups) * u64::from(offer.group_size) * 4).unwrap_or(usize::MAX);
    let (mut candidates, mut headroom) = (Vec::new(), BTreeMap::new());
    for sweep in &sweeps {
        if candidates.len() >= wanted {
            break;
        }
        let id: i64 = sweep.try_get("id")?;
        if let Some(limit) = sweep.try_get::<Option<i64>, _>("max_concurrent")? {
            let free = limit - sweep.try_get::<i64, _>("running")?;
            let Some(free @ 1..) = u32::try_from(free).ok() else { continue };
            headroom.insert(id, free);
        }
        let runs = sqlx::query(
            "select id, shape_key from runs
             where sweep_id = $1 and state = 'queued' and in_plan = 1
               and (dataset in (select value from json_each($2)) or dataset like 'images:%')
             order by idx limit $3",
        )
        .bind(id)
        .bind(datasets)
        .bind(i64::try_from(wanted - candidates.len()).unwrap_or(i64::MAX))
        .fetch_all(&mut *tx)
        .await?;
        for run in &runs {
            let (shape_key, run) = (run.try_get("shape_key")?, unsigned(run, "id")?);
            candidates.push(Candidate { run, sweep: id, shape_key });
        }
    }
    Ok((candidates, headroom))
}

async fn start_attempt(
    tx: &mut SqliteConnection,
    claim: &Claim,
    group: usize,
    run: u64,
    now_ms: i64,
    lease_expires_ms: i64,
) -> Result<()> {
    let number: i64 = sqlx::query_scalar(
        "update runs set state = 'running', attempt = attempt + 1, worker_id = $2, lease_expires_ms = $3
         where id = $1 and state = 'queued' returning attempt",
    )
    .bind(run.cast_signed())
    .bind(&claim.worker)
    .bind(lease_expires_ms)
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query(
        "insert into attempts (run_id, number, worker_id, claim_id, claim_group, started_ms)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(run.cast_signed())
    .bind(number)
    .bind(&claim.worker)
    .bind(&claim.id)
    .bind(i64::try_from(group).unwrap_or(i64::MAX))
    .bind(now_ms)
    .execute(tx)
    .await?;
    Ok(())
}

/// What this claim was given and still holds.
async fn granted(tx: &mut SqliteConnection, claim: &Claim) -> Result<Vec<Grant>> {
    let rows = sqlx::query(
        "select r.id, r.idx, r.seed, r.config, a.number, a.claim_group, s.name as sweep, s.checkpoint_kimg
         from attempts a
         join runs r on r.id = a.run_id and r.attempt = a.number and r.state = 'running'
         join sweeps s on s.id = r.sweep_id
         where a.claim_id = $1 and a.worker_id = $2
         order by a.claim_group, r.idx",
    )
    .bind(&claim.id)
    .bind(&claim.worker)
    .fetch_all(tx)
    .await?;
    rows.iter().map(grant).collect()
}

fn grant(row: &SqliteRow) -> Result<Grant> {
    Ok(Grant {
        attempt: AttemptRef { run: unsigned(row, "id")?, number: unsigned(row, "number")? },
        group: unsigned(row, "claim_group")?,
        sweep: row.try_get("sweep")?,
        index: unsigned(row, "idx")?,
        seed: seed(row)?,
        configuration: configuration(row)?,
        checkpoint_kimg: row.try_get("checkpoint_kimg")?,
    })
}

pub(super) async fn renew(
    tx: &mut SqliteConnection,
    worker: String,
    attempts: Vec<AttemptRef>,
    now_ms: i64,
    lease_expires_ms: i64,
) -> Result<Vec<AttemptRef>> {
    seen(tx, &worker, now_ms).await?;
    let mut fenced = Vec::new();
    for attempt in attempts {
        let renewed = sqlx::query(
            "update runs set lease_expires_ms = $4
             where id = $1 and attempt = $2 and worker_id = $3 and state = 'running'",
        )
        .bind(attempt.run.cast_signed())
        .bind(attempt.number)
        .bind(&worker)
        .bind(lease_expires_ms)
        .execute(&mut *tx)
        .await?;
        if renewed.rows_affected() == 0 {
            fenced.push(attempt);
        }
    }
    Ok(fenced)
}

pub(super) async fn expire(tx: &mut SqliteConnection, now_ms: i64) -> Result<Vec<AttemptRef>> {
    let rows = sqlx::query(
        "update runs set state = 'queued', lease_expires_ms = null
         where state = 'running' and lease_expires_ms < $1 returning id, attempt",
    )
    .bind(now_ms)
    .fetch_all(&mut *tx)
    .await?;
    let mut lost = Vec::with_capacity(rows.len());
    for row in &rows {
        let attempt = AttemptRef { run: unsigned(row, "id")?, number: unsigned(row, "attempt")? };
        sqlx::query(
            "update attempts set ended_ms = $3, outcome = 'lost', message = 'its worker stopped renewing the lease'
             where run_id = $1 and number = $2",
        )
        .bind(attempt.run.cast_signed())
        .bind(attempt.number)
        .bind(now_ms)
        .execute(&mut *tx)
        .await?;
        lost.push(attempt);
    }
    Ok(lost)
}

pub(super) async fn grant_fresh_terms(tx: &mut SqliteConnection, lease_expires_ms: i64) -> Result<u64> {
    let running = sqlx::query("update runs set lease_expires_ms = $1 where state = 'running'")
        .bind(lease_expires_ms)
        .execute(tx)
        .await?;
    Ok(running.rows_affected())
}
