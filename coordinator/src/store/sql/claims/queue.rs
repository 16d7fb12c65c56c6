//! Which queued runs a worker could start, in order.
//!
//! A claim looks at what its worker can train, dataset by dataset, and at nothing else: idle workers ask each second,
//! and a hundred thousand runs that they cannot train cost them, and those whose turn it is, nothing.

use std::collections::BTreeMap;

use acai_sweep::schedule::{Candidate, Offer};
use sqlx::Row as _;

use super::super::columns::{configuration, storable, unsigned};
use super::super::dialect::{Connection, Row, among, elements, for_update, skip_locked};
use super::super::ids::Ids;
use super::super::workers::Caller;
use crate::store::Result;

/// A run is not granted again for this long to a machine that could not train it: others may have it first.
pub(in super::super) const ELSEWHERE_MS: i64 = 60_000;
/// Queued runs of a sweep and dataset among which the runs of groups are looked for.
const HORIZON: i64 = 10_000;
/// Runs that are looked at when one of them could not be read …
const LOOK: i64 = 1000;
/// … and how often a claim looks: whoever asks next goes on.
const LOOKS: u32 = 4;

/// The datasets of `$1` that sweeps have queued runs of. One step of the index `runs_waiting` for each dataset of a queue,
/// however many runs it has: the smallest one, then again and again the smallest of those that are larger. A folder of
/// one's own pictures may be on any worker.
pub(in crate::store) const TRAINABLE: &str = concat!(
    "with recursive queued (sweep_id, dataset) as (
         select s.id, (select min(r.dataset) from runs r
                       where r.sweep_id = s.id and r.state = 'queued' and r.in_plan = true
                         and r.unreadable is null)
         from sweeps s where s.paused is null
         union all
         select q.sweep_id, (select min(r.dataset) from runs r
                             where r.sweep_id = q.sweep_id and r.state = 'queued' and r.in_plan = true
                               and r.unreadable is null and r.dataset > q.dataset)
         from queued q where q.dataset is not null
     )
     select sweep_id, dataset from queued where dataset in (",
    elements!("$1"),
    ") or dataset like 'images:%'"
);

/// The queued runs of sweep `$1` on dataset `$2` that make up its first groups, in order.
///
/// A group is `$3` runs of a shape that follow each other, and stands where its first run does. So the runs of a group are
/// found where others stand between them, among the first `$4`. Without groups the first runs are enough. A run that is
/// trained alone has a shape of its own, and one that the worker's machine could not train just now is not among them.
pub(in crate::store) const FIRST_GROUPS: &str = concat!(
    "select id, idx, config, case when alone = true then 'run ' || id else shape_key end as shape_key from runs
     where state = 'queued' and id in (
         select id from (
             select id, idx, min(idx) over (partition by shape_key, number) as opener from (
                 select id, idx, shape_key,
                        (row_number() over (partition by shape_key order by idx) - 1) / $3 as number from (
                     select id, idx, case when alone = true then 'run ' || id else shape_key end as shape_key
                     from runs
                     where sweep_id = $1 and dataset = $2 and state = 'queued' and in_plan = true
                       and unreadable is null and not exists (
                           select 1 from attempts a join workers w on w.id = a.worker_id
                           where a.run_id = runs.id and a.number > runs.faults_after
                             and a.machine_fault = true and w.name = $6 and a.ended_ms > $7 and a.ended_ms <= $8)
                     order by idx limit $4
                 ) waiting
             ) numbered
         ) grouped
         order by opener, idx limit $5
     )
     order by idx",
    skip_locked!()
);

/// The runs that could start, in order and enough of them for the offer, and how many more each limited sweep may start.
///
/// The sweeps that have any are locked first, in one order: claims that come at the same time wait for each other, so
/// that none of them counts too few of a limited sweep's runs.
pub(super) async fn queue(
    tx: &mut Connection,
    worker: &Caller,
    offer: Offer,
    now_ms: i64,
) -> Result<(Vec<Candidate>, BTreeMap<i64, u32>)> {
    let (mut candidates, mut headroom) = (Vec::new(), BTreeMap::new());
    let trainable = trainable(tx, worker).await?;
    if trainable.is_empty() {
        return Ok((candidates, headroom));
    }
    let wanted = u64::from(offer.groups) * u64::from(offer.group_size);
    // Only those of them count that may start: a sweep at its limit must not hide the next one.
    let mut startable: u64 = 0;
    for sweep in lock(tx, trainable.keys().copied()).await? {
        if startable >= wanted {
            break;
        }
        let id: i64 = sweep.try_get("id")?;
        if let Some(limit) = sweep.try_get::<Option<i64>, _>("max_concurrent")? {
            let free = limit - sweep.try_get::<i64, _>("running")?;
            let Some(free @ 1..) = u32::try_from(free).ok() else { continue };
            headroom.insert(id, free);
        }
        let mut runs = Vec::new();
        for dataset in trainable.get(&id).into_iter().flatten() {
            runs.extend(first_groups(tx, id, dataset, worker, offer, now_ms).await?);
        }
        // Runs of a shape have one dataset: each dataset's first groups are all that the first groups can be of.
        runs.sort_by_key(|(index, _)| *index);
        let may_start = headroom.get(&id).map_or(u64::MAX, |&free| free.into());
        startable += may_start.min(runs.len() as u64);
        candidates.extend(runs.into_iter().map(|(_, candidate)| candidate));
    }
    Ok((candidates, headroom))
}

/// By sweep, what the worker could train of its queue. Looked up before anything is locked.
async fn trainable(tx: &mut Connection, worker: &Caller) -> Result<BTreeMap<i64, Vec<String>>> {
    let rows = sqlx::query(TRAINABLE).bind(&worker.datasets).fetch_all(tx).await?;
    let mut trainable = BTreeMap::<i64, Vec<String>>::new();
    for row in &rows {
        trainable.entry(row.try_get("sweep_id")?).or_default().push(row.try_get("dataset")?);
    }
    Ok(trainable)
}

/// Locks these sweeps; answers those that may start runs, in order.
async fn lock(tx: &mut Connection, sweeps: impl Iterator<Item = i64>) -> Result<Vec<Row>> {
    let ids = Ids::new(sweeps);
    sqlx::query(concat!("select id from sweeps where id ", among!("$1"), " order by id", for_update!()))
        .bind(ids.as_json())
        .fetch_all(&mut *tx)
        .await?;
    // In a statement of its own, after the locks: one that waited for them still sees what was there when it began.
    let sweeps = sqlx::query(concat!(
        "select s.id, s.max_concurrent,
                (select count(*) from runs r where r.sweep_id = s.id and r.state = 'running') as running
         from sweeps s where s.paused is null and s.id ",
        among!("$1"),
        " order by s.priority desc, s.id"
    ));
    Ok(sweeps.bind(ids.as_json()).fetch_all(tx).await?)
}

/// As [`FIRST_GROUPS`] says, each with its place. Runs whose configuration cannot be read are left out, from now on.
async fn first_groups(
    tx: &mut Connection,
    sweep: i64,
    dataset: &str,
    worker: &Caller,
    offer: Offer,
    now_ms: i64,
) -> Result<Vec<(i64, Candidate)>> {
    let (groups, size) = (i64::from(offer.groups), i64::from(offer.group_size.max(1)));
    let mut looks = 0;
    loop {
        // Where one cannot be read, the next ones often cannot either: many are looked at.
        let least = if looks == 0 { 0 } else { LOOK };
        let rows = sqlx::query(FIRST_GROUPS)
            .bind(sweep)
            .bind(dataset)
            .bind(size)
            .bind(if size == 1 { groups.max(least) } else { HORIZON })
            .bind((groups * size).max(least))
            .bind(&worker.name)
            .bind(now_ms.saturating_sub(ELSEWHERE_MS))
            // A fault of a later time was noted while the clock was wrong.
            .bind(now_ms)
            .fetch_all(&mut *tx)
            .await?;
        let (mut found, mut unreadable) =
            (Vec::with_capacity(rows.len()), BTreeMap::<String, Vec<i64>>::new());
        for row in &rows {
            match configuration(row) {
                Ok(_) => {
                    let shape_key = row.try_get("shape_key")?;
                    let candidate = Candidate { run: unsigned(row, "id")?, sweep, shape_key };
                    found.push((row.try_get("idx")?, candidate));
                }
                Err(reason) => unreadable.entry(reason.to_string()).or_default().push(row.try_get("id")?),
            }
        }
        looks += 1;
        if unreadable.is_empty() {
            return Ok(found);
        }
        set_aside(tx, sweep, unreadable).await?;
        if looks == LOOKS {
            return Ok(found);
        }
    }
}

/// Leaves runs out of the queue, each for its reason.
async fn set_aside(tx: &mut Connection, sweep: i64, unreadable: BTreeMap<String, Vec<i64>>) -> Result<()> {
    for (reason, runs) in unreadable {
        tracing::error!(
            sweep,
            runs = runs.len(),
            reason,
            "these runs are left out until a coordinator starts again"
        );
        sqlx::query(concat!("update runs set unreadable = $2 where id ", among!("$1")))
            .bind(Ids::new(runs).as_json())
            .bind(storable(&reason))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Takes the runs that could not be read into the queue again: another version may read them, and somebody may have
/// repaired them.
pub(in crate::store) async fn look_again(tx: &mut Connection) -> std::result::Result<(), sqlx::Error> {
    sqlx::query(concat!(
        "update runs set unreadable = null
         where id in (select id from runs where unreadable is not null order by id",
        for_update!(),
        ")"
    ))
    .execute(tx)
    .await?;
    Ok(())
}
