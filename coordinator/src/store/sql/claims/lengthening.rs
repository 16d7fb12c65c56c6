//! A run that trains longer than an earlier run of its sweep, and otherwise the same, goes on from that run.
//!
//! Up to its last step a run is the same however long it is. So what the shorter run had come to at a checkpoint becomes
//! the longer run's attempt 1, just before its first grant: the points until there, the pictures, and the checkpoint.

use std::collections::BTreeMap;

use acai_sweep::training::TrainingConfig;
use sqlx::Row as _;

use super::super::blobs;
use super::super::columns::{configuration, unsigned};
use super::super::dialect::{Connection, Row, among, elements};
use super::super::ids::Ids;
use super::super::metrics;
use crate::store::{Result, RunId};

/// For each of the runs `$1` that has had no attempt, the checkpoints that it can go on from, the best one last.
pub(in crate::store) const SHORTER: &str = concat!(
    "select r.id as longer, r.config, p.id as shorter, p.number, p.total_steps, c.step, c.sha256, c.bytes, c.attempt
     from runs r
     join runs p on p.sweep_id = r.sweep_id and p.lineage = r.lineage and p.seed = r.seed and p.attempt > 0
     join checkpoints c on c.run_id = p.id and c.state = 'committed' and c.step < r.total_steps
     where r.attempt = 0 and r.id ",
    among!("$1"),
    " order by r.id, c.step, p.id desc"
);

/// A checkpoint of a shorter run, for a longer one.
struct Basis {
    longer: RunId,
    config: TrainingConfig,
    shorter: RunId,
    /// The shorter run's number in the sweep.
    number: u32,
    /// Steps of all of the shorter run.
    total_steps: u64,
    step: u64,
    sha256: String,
    bytes: u64,
    /// The shorter run's attempt that wrote it.
    attempt: u32,
}

/// Gives those of these runs that have had no attempt what shorter runs have come to.
pub(super) async fn take_over(tx: &mut Connection, runs: Vec<RunId>, now_ms: i64) -> Result<()> {
    if runs.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query(SHORTER).bind(Ids::new(runs).as_json()).fetch_all(&mut *tx).await?;
    let mut best = BTreeMap::new();
    for row in &rows {
        let basis = basis(row)?;
        best.insert(basis.longer, basis);
    }
    for basis in best.into_values() {
        // Changes the blob's row, so that a collection of garbage that runs at the same time sees that the blob is needed.
        let blob = blobs::touch(tx, &basis.sha256, now_ms).await?;
        if blob.is_some_and(|(_, bytes)| bytes == basis.bytes) {
            basis.become_an_attempt(tx, now_ms).await?;
        }
    }
    Ok(())
}

fn basis(row: &Row) -> Result<Basis> {
    Ok(Basis {
        longer: row.try_get("longer")?,
        config: configuration(row)?.training_config(),
        shorter: row.try_get("shorter")?,
        number: unsigned(row, "number")?,
        total_steps: unsigned(row, "total_steps")?,
        step: unsigned(row, "step")?,
        sha256: row.try_get("sha256")?,
        bytes: unsigned(row, "bytes")?,
        attempt: unsigned(row, "attempt")?,
    })
}

impl Basis {
    async fn become_an_attempt(&self, tx: &mut Connection, now_ms: i64) -> Result<()> {
        sqlx::query("update runs set attempt = 1 where id = $1").bind(self.longer).execute(&mut *tx).await?;
        let left_out = self.left_out(tx).await?;
        let points = self.copy_points(tx, &left_out).await?;
        self.insert_attempt(tx, points, now_ms).await?;
        self.copy_artifacts(tx, now_ms).await?;
        sqlx::query(
            "insert into checkpoints (run_id, step, sha256, bytes, attempt, committed_ms) values ($1, $2, $3, $4, 1, $5)",
        )
        .bind(self.longer)
        .bind(self.step.cast_signed())
        .bind(&self.sha256)
        .bind(self.bytes.cast_signed())
        .bind(now_ms)
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Whether the shorter run was at its end here: then some of what it reported is due at an end alone.
    fn is_end(&self) -> bool {
        self.step >= self.total_steps
    }

    /// Metrics whose points at the checkpoint's step the longer run would not have.
    async fn left_out(&self, tx: &mut Connection) -> Result<String> {
        if !self.is_end() {
            return Ok("[]".to_owned());
        }
        let names: Vec<String> = sqlx::query_scalar(
            "select m.name from summaries s join metrics m on m.run_id = s.run_id and m.name = s.name and m.step = $2
             where s.run_id = $1",
        )
        .bind(self.shorter)
        .bind(self.step.cast_signed())
        .fetch_all(tx)
        .await?;
        let left_out = names.into_iter().filter(|name| !self.config.reports_midway(name, self.step));
        Ok(serde_json::json!(left_out.collect::<Vec<_>>()).to_string())
    }

    /// Copies the points up to the checkpoint; answers how many.
    async fn copy_points(&self, tx: &mut Connection, left_out: &str) -> Result<u64> {
        let copied = sqlx::query(concat!(
            "insert into metrics (run_id, name, step, value, attempt)
             select $1, name, step, value, 1 from metrics
             where run_id = $2 and (step < $3 or step = $3 and name not in (",
            elements!("$4"),
            "))"
        ))
        .bind(self.longer)
        .bind(self.shorter)
        .bind(self.step.cast_signed())
        .bind(left_out)
        .execute(&mut *tx)
        .await?;
        metrics::summarize(tx, self.longer).await?;
        Ok(copied.rows_affected())
    }

    async fn insert_attempt(&self, tx: &mut Connection, points: u64, now_ms: i64) -> Result<()> {
        let message = format!("taken over from run {} of this sweep, at its step {}", self.number, self.step);
        sqlx::query(
            "insert into attempts (run_id, number, worker_id, claim_id, claim_group, started_ms, ended_ms, outcome,
                                   message, acked_seq, token)
             select $1, 1, worker_id, '', 0, $4, $4, 'released', $5, $6, token
             from attempts where run_id = $2 and number = $3",
        )
        .bind(self.longer)
        .bind(self.shorter)
        .bind(i64::from(self.attempt))
        .bind(now_ms)
        .bind(message)
        .bind(points.cast_signed())
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Copies the artifacts up to the checkpoint. At an end there are weights among them, and a last picture.
    async fn copy_artifacts(&self, tx: &mut Connection, now_ms: i64) -> Result<()> {
        let before = self.step + u64::from(!self.is_end());
        sqlx::query(
            "insert into artifacts (run_id, name, step, sha256, bytes, attempt, added_ms)
             select $1, name, step, sha256, bytes, 1, $4 from artifacts where run_id = $2 and step < $3",
        )
        .bind(self.longer)
        .bind(self.shorter)
        .bind(before.cast_signed())
        .bind(now_ms)
        .execute(tx)
        .await?;
        Ok(())
    }
}
