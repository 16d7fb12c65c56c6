//! What happened to runs, in an order that nobody can miss a part of.

use sqlx::Row as _;

use super::dialect::{Connection, Pool, Row};
use super::runs::{state, unsigned};
use crate::store::{EventRecord, Result, StoreError};

/// Who changed a run's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// An attempt: its worker is named.
    Attempt,
    /// A person.
    Person,
}

/// Notes that the run has just entered its state.
///
/// The number is given under a lock on the sweep's row that lasts to the commit. So numbers are in the order of the
/// commits, and whoever has seen number n will never find another one before it.
pub(super) async fn note(
    tx: &mut Connection,
    run: u64,
    cause: Cause,
    message: Option<&str>,
    now_ms: i64,
) -> Result<()> {
    let number: i64 = sqlx::query_scalar(
        "update sweeps set last_event = last_event + 1 where id = (select sweep_id from runs where id = $1)
         returning last_event",
    )
    .bind(run.cast_signed())
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query(
        "insert into events (sweep_id, number, at_ms, run_id, state, attempt, worker, message)
         select r.sweep_id, $2, $3, r.id, r.state, r.attempt,
                case when $4 then (select w.name from workers w where w.id = r.worker_id) end, $5
         from runs r where r.id = $1",
    )
    .bind(run.cast_signed())
    .bind(number)
    .bind(now_ms)
    .bind(cause == Cause::Attempt)
    .bind(message)
    .execute(tx)
    .await?;
    Ok(())
}

/// The columns of an [`EventRecord`].
macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "select e.number, e.at_ms, r.idx, e.state, e.attempt, e.worker, e.message
             from events e
             join runs r on r.id = e.run_id
             join sweeps s on s.id = e.sweep_id
             where s.name = $1 and ",
            $rest
        )
    };
}

/// The sweep's events after number `after`, at most `most`; an error if it never had that many: whoever waits after a
/// number that a restored database has yet to give would miss the events up to it.
pub(super) async fn list(readers: &Pool, sweep: &str, after: u64, most: u32) -> Result<Vec<EventRecord>> {
    let rows = sqlx::query(select_events!("e.number > $2 order by e.number limit $3"))
        .bind(sweep)
        .bind(after.cast_signed())
        .bind(i64::from(most))
        .fetch_all(readers)
        .await?;
    if rows.is_empty() {
        let last: Option<i64> = sqlx::query_scalar("select last_event from sweeps where name = $1")
            .bind(sweep)
            .fetch_optional(readers)
            .await?;
        let last = last.unwrap_or_default().cast_unsigned();
        if after > last {
            return Err(StoreError::NoSuchEvent { after, last });
        }
    }
    rows.iter().map(record).collect()
}

/// The last `most` events of one run, oldest first.
pub(super) async fn of_run(readers: &Pool, sweep: &str, run: u64, most: u32) -> Result<Vec<EventRecord>> {
    let rows = sqlx::query(select_events!("e.run_id = $2 order by e.number desc limit $3"))
        .bind(sweep)
        .bind(run.cast_signed())
        .bind(i64::from(most))
        .fetch_all(readers)
        .await?;
    rows.iter().rev().map(record).collect()
}

fn record(row: &Row) -> Result<EventRecord> {
    Ok(EventRecord {
        number: unsigned(row, "number")?,
        at_ms: row.try_get("at_ms")?,
        index: unsigned(row, "idx")?,
        state: state(row)?,
        attempt: unsigned(row, "attempt")?,
        worker: row.try_get("worker")?,
        message: row.try_get("message")?,
    })
}
