//! Workers: what they say of themselves, when they were last seen, and whether they take runs.

use sqlx::Row as _;

use super::columns::{unsigned, words_from_json, words_to_json};
use super::dialect::{Connection, Row, elements, for_update};
use crate::store::rules::storable;
use crate::store::{Duty, Registration, Rest, Result, StoreError, WorkerRecord};

/// Adds the worker, or notes what it says of itself now; answers which database this is.
pub(super) async fn register(tx: &mut Connection, worker: &Registration, now_ms: i64) -> Result<String> {
    sqlx::query(
        "insert into workers (id, registered_ms, name, version, hardware, slots, datasets, last_seen_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $2)
         on conflict (id) do update set name = excluded.name, version = excluded.version,
             hardware = excluded.hardware, slots = excluded.slots, datasets = excluded.datasets,
             last_seen_ms = excluded.last_seen_ms",
    )
    .bind(&worker.id)
    .bind(now_ms)
    .bind(&worker.name)
    .bind(&worker.version)
    .bind(&worker.hardware)
    .bind(i64::from(worker.slots))
    .bind(words_to_json(&worker.datasets))
    .execute(&mut *tx)
    .await?;
    database(tx).await
}

/// The id of this database, other letters and digits for each database.
pub(super) async fn database(reader: &mut Connection) -> Result<String> {
    Ok(sqlx::query_scalar("select id from identity").fetch_one(reader).await?)
}

/// Notes that the worker ends.
pub(super) async fn leave(tx: &mut Connection, worker: &str, now_ms: i64) -> Result<()> {
    let known = sqlx::query("update workers set ended_ms = coalesce(ended_ms, $2) where id = $1")
        .bind(worker)
        .bind(now_ms)
        .execute(tx)
        .await?;
    if known.rows_affected() == 0 { Err(StoreError::UnknownWorker(worker.to_owned())) } else { Ok(()) }
}

/// Has no worker be heard of later than now: the clock was set back since, and nobody knows how long ago that was.
pub(super) async fn none_is_ahead(tx: &mut Connection, now_ms: i64) -> Result<()> {
    sqlx::query(concat!(
        "update workers set last_seen_ms = $1
         where id in (select id from workers where last_seen_ms > $1 order by id",
        for_update!(),
        ")"
    ))
    .bind(now_ms)
    .execute(tx)
    .await?;
    Ok(())
}

/// A worker that has just called.
pub(super) struct Caller {
    pub(super) name: String,
    /// The names of the datasets that it has, as a JSON array.
    pub(super) datasets: String,
    pub(super) duty: Duty,
}

/// Notes the time of the worker's call.
pub(super) async fn seen(tx: &mut Connection, worker: &str, now_ms: i64) -> Result<Caller> {
    let row = sqlx::query("update workers set last_seen_ms = $2 where id = $1 returning datasets, name")
        .bind(worker)
        .bind(now_ms)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or_else(|| StoreError::UnknownWorker(worker.to_owned()))?;
    // Read in a statement of its own, after the worker's row is locked: whoever changes the worker's duty locks that
    // row too.
    let drain = sqlx::query_scalar("select drain from cordons where worker_name = $1")
        .bind(row.try_get::<&str, _>("name")?)
        .fetch_optional(tx)
        .await?;
    Ok(Caller { name: row.try_get("name")?, datasets: row.try_get("datasets")?, duty: duty(drain) })
}

/// Whether this rest is stored for the worker already.
pub(super) async fn has_rest(reader: &mut Connection, worker: &str, rest: &Rest) -> Result<bool> {
    let known = sqlx::query("select resting_slots, resting from workers where id = $1")
        .bind(worker)
        .fetch_optional(reader)
        .await?;
    let Some(known) = known else { return Ok(false) };
    let reason: Option<String> = known.try_get("resting")?;
    Ok(known.try_get::<i64, _>("resting_slots")? == i64::from(rest.slots) && reason == reason_of(rest))
}

/// The reason as it is stored: none if no slot rests.
fn reason_of(rest: &Rest) -> Option<String> {
    Some(storable(&rest.reason)).filter(|_| rest.slots > 0)
}

/// Stores which of the worker's slots rest.
pub(super) async fn set_rest(tx: &mut Connection, worker: &str, rest: &Rest) -> Result<()> {
    let reason = reason_of(rest);
    let noted = sqlx::query("update workers set resting_slots = $2, resting = $3 where id = $1")
        .bind(worker)
        .bind(i64::from(rest.slots))
        .bind(reason)
        .execute(tx)
        .await?;
    if noted.rows_affected() == 0 { Err(StoreError::UnknownWorker(worker.to_owned())) } else { Ok(()) }
}

/// The duty that the column `drain` of a worker's cordon says; without a cordon the worker takes runs.
fn duty(drain: Option<bool>) -> Duty {
    match drain {
        None => Duty::Open,
        Some(false) => Duty::Cordoned,
        Some(true) => Duty::Drained,
    }
}

/// The workers that were seen since the time `$1` or hold runs, after id `$2`.
pub(in crate::store) const LIST: &str = "select id, name, version, hardware, slots, datasets, last_seen_ms, resting_slots, resting, ended_ms is not null as ended,
                (select count(*) from runs where worker_id = workers.id and state = 'running') as running,
                (select drain from cordons where worker_name = workers.name) as drain
         from workers
         where id in (select id from workers where last_seen_ms >= $1
                      union select worker_id from runs where state = 'running')
           and id > $2
         order by id limit $3";

/// The workers that were seen since this time or hold runs, in the order of their ids after this one, at most `most`.
pub(super) async fn list(
    reader: &mut Connection,
    since_ms: i64,
    after: &str,
    most: u32,
) -> Result<Vec<WorkerRecord>> {
    let rows =
        sqlx::query(LIST).bind(since_ms).bind(after).bind(i64::from(most)).fetch_all(&mut *reader).await?;
    let record = |row: &Row| {
        Ok(WorkerRecord {
            registration: Registration {
                id: row.try_get("id")?,
                name: row.try_get("name")?,
                version: row.try_get("version")?,
                hardware: row.try_get("hardware")?,
                slots: unsigned(row, "slots")?,
                datasets: words_from_json(row.try_get("datasets")?)?,
            },
            last_seen_ms: row.try_get("last_seen_ms")?,
            running: unsigned(row, "running")?,
            duty: duty(row.try_get("drain")?),
            rest: match row.try_get("resting")? {
                None => None,
                Some(reason) => Some(Rest { slots: unsigned(row, "resting_slots")?, reason }),
            },
            ended: row.try_get("ended")?,
        })
    };
    rows.iter().map(record).collect()
}

/// Workers that one transaction deletes.
const STEP: i64 = 1000;

/// Deletes workers that were not seen since this time and have never held a run, at most [`STEP`]; answers how many.
pub(super) async fn forget(tx: &mut Connection, before_ms: i64) -> Result<u64> {
    let never_needed = sqlx::query_scalar(
        "select id from workers w
         where last_seen_ms < $1 and not exists (select 1 from attempts a where a.worker_id = w.id)
           and not exists (select 1 from runs r where r.worker_id = w.id)
         order by last_seen_ms limit $2",
    );
    let ids: Vec<String> = never_needed.bind(before_ms).bind(STEP).fetch_all(&mut *tx).await?;
    // A worker that has called since the query, maybe to claim a run, stays.
    let delete = concat!("delete from workers where id in (", elements!("$1"), ") and last_seen_ms < $2");
    let deleted = sqlx::query(delete).bind(words_to_json(&ids)).bind(before_ms).execute(tx).await?;
    Ok(deleted.rows_affected())
}
