//! The one order in which rows are locked.
//!
//! Workers, then sweeps, then runs, then what belongs to a run (its attempts, points, summaries and events); of one kind
//! those with the smaller id first. Every transaction locks in this order, and lets go of all when it ends. So nobody
//! waits in a circle: on Postgres, which notices one only after a second and then ends somebody.
//!
//! Checkpoints and their blobs come last, and have no order among them: a commit locks the new blob, then checkpoints, then
//! the blobs of those that it drops. Only runs that train the same thing under the same seed, in two sweeps, share blobs, and
//! two of their commits, or a commit and a collection, may have to be tried again.
//!
//! Who may end in an event, which is given its number under the lock of its sweep, therefore locks the sweep before the
//! run. Reports, renewals and checkpoints end in none: they lock runs alone, and no sweep keeps them waiting.
//!
//! The locks are those that an update takes, and nothing stronger: rows that refer to a locked one can be added meanwhile.
//! On SQLite one transaction writes at a time, and there is nothing to lock.

use super::dialect::{Connection, among, for_update};
use super::ids::Ids;
use crate::store::Result;

/// Locks the sweep of this name; its id, if there is one.
pub(super) async fn sweep_named(tx: &mut Connection, name: &str) -> Result<Option<i64>> {
    let locked = sqlx::query_scalar(concat!("select id from sweeps where name = $1", for_update!()));
    Ok(locked.bind(name).fetch_optional(tx).await?)
}

/// Locks a sweep.
pub(super) async fn sweep(tx: &mut Connection, sweep_id: i64) -> Result<()> {
    let locked = sqlx::query(concat!("select id from sweeps where id = $1", for_update!()));
    locked.bind(sweep_id).fetch_optional(tx).await?;
    Ok(())
}

/// Locks a run, after its sweep. Nothing if there is no such run.
pub(super) async fn run(tx: &mut Connection, run: u64) -> Result<()> {
    sqlx::query(concat!(
        "select id from sweeps where id = (select sweep_id from runs where id = $1)",
        for_update!()
    ))
    .bind(run.cast_signed())
    .fetch_optional(&mut *tx)
    .await?;
    let locked = sqlx::query(concat!("select id from runs where id = $1", for_update!()));
    locked.bind(run.cast_signed()).fetch_optional(tx).await?;
    Ok(())
}

/// Locks runs whose sweep is locked, or that end in no event.
pub(super) async fn runs(tx: &mut Connection, ids: &Ids) -> Result<()> {
    let locked =
        sqlx::query(concat!("select id from runs where id ", among!("$1"), " order by id", for_update!()));
    locked.bind(ids.as_json()).fetch_all(tx).await?;
    Ok(())
}
