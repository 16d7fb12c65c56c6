//! How far an attempt has come, which its reports, checkpoints and end are checked against.

use super::columns::unsigned;
use super::dialect::{Connection, Row};
use crate::store::{AttemptRef, Result, StoreError};

/// The number up to which all points of the attempt are durable; 0 before the first one.
///
/// To be called after the run's row is locked, as a statement of its own: a statement that has waited for that lock
/// would still see the number that was there when the wait began.
pub(super) async fn acked_seq(tx: &mut Connection, attempt: AttemptRef) -> Result<u64> {
    let row = sqlx::query("select acked_seq from attempts where run_id = $1 and number = $2")
        .bind(attempt.run)
        .bind(i64::from(attempt.number))
        .fetch_one(tx)
        .await?;
    unsigned(&row, "acked_seq")
}

/// Refuses a step beyond the run's last one.
pub(super) fn check_step(step: u64, run: &Row) -> Result<()> {
    let total_steps: u64 = unsigned(run, "total_steps")?;
    if step > total_steps {
        return Err(StoreError::Conflict(format!("the run has {total_steps} steps, not {step}")));
    }
    Ok(())
}
