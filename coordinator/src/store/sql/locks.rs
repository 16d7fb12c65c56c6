//! The one order in which rows are locked.
//!
//! Workers, then sweeps, then runs, then what belongs to a run (its attempts, points, summaries and events); of one
//! kind those with the smaller id first. Every transaction locks rows in this order, and releases them when it ends. So
//! no transactions wait for each other in a circle, which Postgres notices only after a second, and ends one of them.
//!
//! Checkpoints and their blobs come last, and have no order among them: a commit locks the new blob, then checkpoints,
//! then the blobs of the checkpoints that it drops. Only runs that train the same configuration under the same seed, in
//! two sweeps, share blobs; two commits of such runs, or a commit and a collection of garbage, may have to be tried
//! again.
//!
//! An event is given its number under the lock of its sweep. So a transaction that may end in an event locks the sweep
//! before the run. Reports, renewals and checkpoints make no events: they lock runs alone, and do not wait for sweeps.
//!
//! The token of who submits is locked last, when there is nothing left but to count what its bearers have.
//!
//! The locks are those that an update takes, and nothing stronger: rows that refer to a locked one can be added
//! meanwhile. On SQLite one transaction writes at a time, and there is nothing to lock.

use super::dialect::{Connection, HAS_ROW_LOCKS, among, for_update};
use super::ids::Ids;
use crate::store::{Result, RunId, SweepId};

/// Locks the sweep of this name; answers its id, `None` if there is no such sweep.
pub(super) async fn sweep_named(tx: &mut Connection, name: &str) -> Result<Option<SweepId>> {
    let locked = sqlx::query_scalar(concat!("select id from sweeps where name = $1", for_update!()));
    Ok(locked.bind(name).fetch_optional(tx).await?)
}

/// Locks a sweep.
pub(super) async fn sweep(tx: &mut Connection, sweep_id: SweepId) -> Result<()> {
    if !HAS_ROW_LOCKS {
        return Ok(());
    }
    let locked = sqlx::query(concat!("select id from sweeps where id = $1", for_update!()));
    locked.bind(sweep_id).fetch_optional(tx).await?;
    Ok(())
}

/// Locks a run, after its sweep. Does nothing if there is no such run.
pub(super) async fn run(tx: &mut Connection, run: RunId) -> Result<()> {
    if !HAS_ROW_LOCKS {
        return Ok(());
    }
    sqlx::query(concat!(
        "select id from sweeps where id = (select sweep_id from runs where id = $1)",
        for_update!()
    ))
    .bind(run)
    .fetch_optional(&mut *tx)
    .await?;
    let locked = sqlx::query(concat!("select id from runs where id = $1", for_update!()));
    locked.bind(run).fetch_optional(tx).await?;
    Ok(())
}

/// Locks a token, after all that its bearers have changed.
pub(super) async fn token(tx: &mut Connection, id: &str) -> Result<()> {
    if !HAS_ROW_LOCKS {
        return Ok(());
    }
    let locked = sqlx::query(concat!("select id from tokens where id = $1", for_update!()));
    locked.bind(id).fetch_optional(tx).await?;
    Ok(())
}

/// Locks runs without their sweep. For runs whose sweep is locked already, and for what makes no event.
pub(super) async fn runs(tx: &mut Connection, ids: &Ids) -> Result<()> {
    if !HAS_ROW_LOCKS {
        return Ok(());
    }
    let locked =
        sqlx::query(concat!("select id from runs where id ", among!("$1"), " order by id", for_update!()));
    locked.bind(ids.as_json()).fetch_all(tx).await?;
    Ok(())
}
