//! What happened to runs, numbered so that whoever reads the events in order misses none.

use sqlx::Row as _;

use super::columns::{state, unsigned};
use super::dialect::{Connection, Row, among};
use super::fence;
use super::ids::Ids;
use super::locks;
use crate::store::rules::storable;
use crate::store::{AttemptRef, EVENTS_KEPT, EventRecord, Place, Result, RunId, StoreError, SweepId};

/// Who changed a run's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// An attempt. The event names its worker.
    Attempt,
    /// A person. The event names no worker.
    Person,
}

/// Adds an event for each of the runs `$1`, which are of sweep `$2`; a trigger keeps the number of the sweep's last event.
/// The sweep is looked up apart: by a join with it, SQLite would read all its runs.
pub(in crate::store) const NOTE: &str = concat!(
    "insert into events (sweep_id, number, at_ms, run_id, state, attempt, worker, message)
     select r.sweep_id, (select s.last_event from sweeps s where s.id = $2) + row_number() over (order by r.idx, r.id),
            $3, r.id, r.state, r.attempt,
            case when $4 then (select w.name from workers w where w.id = r.worker_id) end, $5
     from runs r where r.id ",
    among!("$1")
);

/// Notes that these runs of a sweep have just entered their states, in the plan's order.
///
/// Numbers are given under a lock on the sweep's row that lasts to the commit. So the numbers are in the order of the
/// commits: whoever has seen event n has been able to see all events before it.
pub(super) async fn note(
    tx: &mut Connection,
    sweep_id: SweepId,
    runs: &Ids,
    cause: Cause,
    message: Option<&str>,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(NOTE)
        .bind(runs.as_json())
        .bind(sweep_id)
        .bind(now_ms)
        .bind(cause == Cause::Attempt)
        .bind(message)
        .execute(tx)
        .await?;
    Ok(())
}

/// Adds an event with a message of a running attempt, unless the run's last event has the same message.
pub(super) async fn tell(tx: &mut Connection, attempt: AttemptRef, message: &str, now_ms: i64) -> Result<()> {
    locks::run(tx, attempt.run).await?;
    fence::check(tx, attempt).await?;
    let message = storable(message);
    let last: Option<Option<String>> =
        sqlx::query_scalar("select message from events where run_id = $1 order by number desc limit 1")
            .bind(attempt.run)
            .fetch_optional(&mut *tx)
            .await?;
    if last.flatten().as_deref() == Some(message.as_str()) {
        return Ok(());
    }
    let sweep_id: SweepId = sqlx::query_scalar("select sweep_id from runs where id = $1")
        .bind(attempt.run)
        .fetch_one(&mut *tx)
        .await?;
    let run = Ids::new([attempt.run]);
    note(tx, sweep_id, &run, Cause::Attempt, Some(&message), now_ms).await
}

/// The columns of an [`EventRecord`].
macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "select e.number, e.at_ms, e.run_id, r.number as run_number, e.state, e.attempt, e.worker, e.message
             from events e
             join runs r on r.id = e.run_id
             where ",
            $rest
        )
    };
}

/// Events of sweep `$1` after number `$2`.
pub(in crate::store) const LIST: &str = select_events!(
    "e.sweep_id = (select id from sweeps where name = $1) and e.number > $2 order by e.number limit $3"
);

/// The sweep's events after a place, at most `most`. An error if the sweep never had that many events, or has another
/// event at the place than the caller has seen. Both are so after a database was restored that lacks the newest events:
/// a caller that went on from the place would miss the events that have these numbers now.
pub(super) async fn list(
    reader: &mut Connection,
    sweep: &str,
    after: Place,
    most: u32,
) -> Result<Vec<EventRecord>> {
    let rows = sqlx::query(LIST)
        .bind(sweep)
        .bind(after.number.cast_signed())
        .bind(i64::from(most))
        .fetch_all(&mut *reader)
        .await?;
    if rows.is_empty() {
        let last: Option<i64> = sqlx::query_scalar("select last_event from sweeps where name = $1")
            .bind(sweep)
            .fetch_optional(&mut *reader)
            .await?;
        let last = last.unwrap_or_default().cast_unsigned();
        if after.number > last {
            return Err(StoreError::NoSuchEvent { after: after.number, last });
        }
    }
    // The event at the place is read after those that follow it, so that a database that is put back in between is
    // noticed.
    if let Some(seen_ms) = after.at_ms.filter(|_| after.number > 0) {
        let at_ms: Option<i64> = sqlx::query_scalar(
            "select e.at_ms from events e join sweeps s on s.id = e.sweep_id where s.name = $1 and e.number = $2",
        )
        .bind(sweep)
        .bind(after.number.cast_signed())
        .fetch_optional(&mut *reader)
        .await?;
        // An event that is gone was deleted for its age.
        if at_ms.is_some_and(|at_ms| at_ms != seen_ms) {
            return Err(StoreError::OtherEvent(after.number));
        }
    }
    rows.iter().map(record).collect()
}

/// The last events of run `$1`.
pub(in crate::store) const OF_RUN: &str = select_events!("e.run_id = $1 order by e.number desc limit $2");

/// The last `most` events of one run, oldest first.
pub(super) async fn of_run(reader: &mut Connection, run: RunId, most: u32) -> Result<Vec<EventRecord>> {
    let rows = sqlx::query(OF_RUN).bind(run).bind(i64::from(most)).fetch_all(&mut *reader).await?;
    rows.iter().rev().map(record).collect()
}

/// Runs whose events one transaction deletes.
const STEP: i64 = 100;

/// Runs that have more events than are kept, the first of them from before this time; some at a time.
pub(super) async fn long_histories(reader: &mut Connection, before_ms: i64) -> Result<Vec<RunId>> {
    let runs = sqlx::query_scalar(
        "select e.run_id from events e group by e.run_id
         having count(*) > $1
            and (select o.at_ms from events o where o.run_id = e.run_id order by o.number limit 1) < $2
         limit $3",
    );
    Ok(runs.bind(i64::from(EVENTS_KEPT)).bind(before_ms).bind(STEP).fetch_all(reader).await?)
}

/// Deletes the events of these runs from before this time, but for the last ones of each; answers how many.
pub(super) async fn forget(tx: &mut Connection, runs: &[RunId], before_ms: i64) -> Result<u64> {
    let mut deleted = 0;
    for run in runs {
        let done = sqlx::query(
            "delete from events where run_id = $1 and at_ms < $2 and number <= (
                 select number from events where run_id = $1 order by number desc limit 1 offset $3)",
        )
        .bind(run)
        .bind(before_ms)
        .bind(i64::from(EVENTS_KEPT))
        .execute(&mut *tx)
        .await?;
        deleted += done.rows_affected();
    }
    Ok(deleted)
}

fn record(row: &Row) -> Result<EventRecord> {
    Ok(EventRecord {
        number: unsigned(row, "number")?,
        at_ms: row.try_get("at_ms")?,
        run: row.try_get("run_id")?,
        run_number: unsigned(row, "run_number")?,
        state: state(row)?,
        attempt: unsigned(row, "attempt")?,
        worker: row.try_get("worker")?,
        message: row.try_get("message")?,
    })
}
