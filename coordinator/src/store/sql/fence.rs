//! The proof that an attempt holds its run, in the statement that writes.
//!
//! An attempt's number alone is no proof: another database, or an older state of this one, has attempts with the same
//! numbers. So each attempt has a random token too. The token is missing (null) on attempts that version 0.1.0 granted,
//! and 0 in calls of that version's workers; these attempts and calls are checked by number alone.

use sqlx::Database;
use sqlx::query::Query;

use super::dialect::{Connection, for_update};
use crate::store::{AttemptRef, Result, StoreError};

type Sql = <Connection as sqlx::Connection>::Database;

/// The condition that a row of `runs` is held by the attempt that [`held`] binds at `$1` to `$3`.
macro_rules! is_held {
    () => {
        "id = $1 and attempt = $2 and (token = $3 or token is null or $3 = 0) and state = 'running'"
    };
}
pub(super) use is_held;

/// A statement that has [`is_held`] in it, with the attempt bound; further arguments are `$4` and on.
pub(super) fn held(
    statement: &'static str,
    attempt: AttemptRef,
) -> Query<'static, Sql, <Sql as Database>::Arguments> {
    sqlx::query(statement).bind(attempt.run).bind(i64::from(attempt.number)).bind(attempt.token.cast_signed())
}

/// Proves that the attempt holds its run; [`StoreError::Fenced`] if it does not.
pub(super) async fn check(tx: &mut Connection, attempt: AttemptRef) -> Result<()> {
    let proof =
        held(concat!("update runs set attempt = attempt where ", is_held!()), attempt).execute(tx).await?;
    if proof.rows_affected() == 0 { Err(StoreError::Fenced(attempt)) } else { Ok(()) }
}

/// Whether the attempt is its run's latest one, [`StoreError::Fenced`] if not. The attempt may have ended: a picture of the
/// last step is on its way while its run is completed.
pub(super) async fn check_latest(tx: &mut Connection, attempt: AttemptRef) -> Result<()> {
    let latest = concat!(
        "select id from runs where id = $1 and attempt = $2 and (token = $3 or token is null or $3 = 0)",
        for_update!()
    );
    held(latest, attempt).fetch_optional(tx).await?.map(drop).ok_or(StoreError::Fenced(attempt))
}

/// Whether a call with the token of `attempt` may speak for an attempt that has the token `stored`.
pub(super) fn matches(attempt: AttemptRef, stored: Option<i64>) -> bool {
    attempt.token == AttemptRef::NO_TOKEN
        || stored.is_none_or(|stored| stored.cast_unsigned() == attempt.token)
}
