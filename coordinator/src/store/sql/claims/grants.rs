//! What claims were granted.

use sqlx::Row as _;

use super::super::checkpoints;
use super::super::columns::{attempt_ref, configuration, seed, token, unsigned};
use super::super::dialect::{Connection, Row};
use crate::store::rules::EARLIER_ATTEMPTS;
use crate::store::{AttemptRef, Claim, EarlierAttempt, Grant, Result};

/// The runs that claim `$1` of worker `$2` was granted and still holds.
pub(in crate::store) const GRANTED: &str = "select r.id, r.number as run_number, r.seed, r.config, r.void_attempts, case when r.alone = true then null else r.shape_key end as joined_by, a.number, a.token, a.claim_group, a.started_ms - r.queued_ms as waited_ms, s.name as sweep, s.checkpoint_kimg, s.keeps_weights,
                exists (select 1 from checkpoints c where c.run_id = r.id) as has_checkpoints
         from attempts a
         join runs r on r.id = a.run_id and r.attempt = a.number and r.state = 'running'
         join sweeps s on s.id = r.sweep_id
         where a.claim_id = $1 and a.worker_id = $2
         order by a.claim_group, r.idx";

/// The runs that this claim was granted and still holds.
pub(in super::super) async fn granted(reader: &mut Connection, claim: &Claim) -> Result<Vec<Grant>> {
    let rows = sqlx::query(GRANTED).bind(&claim.id).bind(&claim.worker).fetch_all(&mut *reader).await?;
    let mut grants: Vec<Grant> = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut grant = grant(row)?;
        // Most runs are granted for the first time: two queries less for each of them.
        if row.try_get("has_checkpoints")? {
            grant.checkpoints = checkpoints::of_run(reader, grant.attempt.run).await?;
        }
        if grant.attempt.number > 1 {
            grant.earlier_attempts = earlier_attempts(reader, grant.attempt).await?;
        }
        grants.push(grant);
    }
    Ok(grants)
}

/// The run's latest attempts before this one, newest first.
async fn earlier_attempts(tx: &mut Connection, attempt: AttemptRef) -> Result<Vec<EarlierAttempt>> {
    let rows = sqlx::query(
        "select number, token, acked_seq from attempts where run_id = $1 and number < $2
         order by number desc limit $3",
    )
    .bind(attempt.run)
    .bind(i64::from(attempt.number))
    .bind(i64::try_from(EARLIER_ATTEMPTS).unwrap_or(i64::MAX))
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
        shape_key: row.try_get("joined_by")?,
        sweep: row.try_get("sweep")?,
        number: unsigned(row, "run_number")?,
        seed: seed(row)?,
        configuration: configuration(row)?,
        checkpoint_kimg: row.try_get("checkpoint_kimg")?,
        keeps_weights: row.try_get("keeps_weights")?,
        checkpoints: Vec::new(),
        void_attempts: unsigned(row, "void_attempts")?,
        earlier_attempts: Vec::new(),
        waited_ms: row.try_get("waited_ms")?,
    })
}
