//! Which queued runs a worker could start, in order.
//!
//! A claim looks at what its worker can train, dataset by dataset, and at nothing else. Idle workers ask each second,
//! and a hundred thousand runs that they cannot train must not slow their claims down, nor those of other workers.

use std::collections::{BTreeMap, BTreeSet};

use acai_sweep::schedule::{Candidate, Offer, is_on_any_worker};
use sqlx::Row as _;

use super::super::columns::{configuration, unsigned};
use super::super::dialect::{Connection, HAS_ROW_LOCKS, Row, among, elements, for_update, skip_locked};
use super::super::ids::Ids;
use super::super::workers::Caller;
use crate::store::rules::{ELSEWHERE_MS, storable};
use crate::store::{Result, RunId, SweepId};

/// Queued runs of a sweep and dataset among which the runs of groups are looked for.
const HORIZON: i64 = 10_000;
/// Runs that are looked at after one was found that cannot be read.
const LOOK: i64 = 1000;
/// How often one claim looks for runs that can be read, before it leaves the rest to the next claim.
const LOOKS: u32 = 4;

/// The datasets that sweeps have queued runs of, and whether each is among those of `$1`.
///
/// The statement takes one step of the index `runs_waiting` for each dataset of a sweep's queue, however many runs are
/// on the dataset: to the smallest dataset, then again and again to the smallest of those that are larger.
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
     select sweep_id, dataset, dataset in (",
    elements!("$1"),
    ") as on_worker from queued where dataset is not null"
);

/// The queued runs of sweep `$1` on dataset `$2` that make up its first groups, in order.
///
/// A group is `$3` runs of a shape that follow each other, and stands where its first run does. So the runs of a group
/// are found also where runs of other shapes stand between them, among the first `$4` runs; `$5` runs are answered. A
/// run that is trained alone has a shape of its own. Runs are left out that machine `$6` could not train between the
/// times `$7` and `$8`. With each comes whether it may go on from a shorter run ([`SHORTER`](super::lengthening::SHORTER)).
pub(in crate::store) const FIRST_GROUPS: &str = concat!(
    "select id, idx, config, case when alone = true then 'run ' || id else shape_key end as shape_key,
            attempt = 0 and exists (
                select 1 from runs p where p.sweep_id = runs.sweep_id and p.lineage = runs.lineage
                    and p.seed = runs.seed and p.attempt > 0) as lengthens
     from runs
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

/// A candidate of one sweep.
struct Placed {
    /// Its place in the plan of the sweep.
    index: i64,
    candidate: Candidate,
    /// Whether it may go on from a shorter run.
    lengthens: bool,
}
/// The ids of runs whose configuration cannot be read, by the reason.
type Unreadable = BTreeMap<String, Vec<RunId>>;

/// What a claim can be served from.
#[derive(Default)]
pub(super) struct Queue {
    /// The runs that could start, in order, and enough of them for the offer.
    pub(super) candidates: Vec<Candidate>,
    /// Those of the candidates that may go on from a shorter run.
    pub(super) lengthening: BTreeSet<RunId>,
    /// How many more runs each sweep with a limit may start.
    pub(super) headroom: BTreeMap<i64, u32>,
}

/// The runs that could start on this worker.
///
/// The sweeps that have any are locked first, in one order: claims that come at the same time wait for each other, so
/// that none of them counts too few of a limited sweep's runs.
pub(super) async fn queue(tx: &mut Connection, worker: &Caller, offer: Offer, now_ms: i64) -> Result<Queue> {
    let mut queue = Queue::default();
    let trainable = trainable(tx, worker).await?;
    if trainable.is_empty() {
        return Ok(queue);
    }
    let wanted = u64::from(offer.groups) * u64::from(offer.group_size);
    // Only the runs count that may start: the queue of a sweep at its limit must not hide the next sweep's.
    let mut startable: u64 = 0;
    for sweep in lock(tx, trainable.keys().copied()).await? {
        if startable >= wanted {
            break;
        }
        let (id, free) = (sweep.try_get::<SweepId, _>("id")?, free(&sweep)?);
        if free == Some(0) {
            continue;
        }
        queue.headroom.extend(free.map(|free| (id.into(), free)));
        let mut runs = Vec::new();
        for dataset in trainable.get(&id).into_iter().flatten() {
            runs.extend(first_groups(tx, id, dataset, worker, offer, now_ms).await?);
        }
        // All runs of a group are on one dataset. So the first groups of the sweep are among the first of each dataset.
        runs.sort_by_key(|run| run.index);
        let may_start = free.map_or(u64::MAX, u64::from);
        startable += may_start.min(runs.len() as u64);
        let lengthening = runs.iter().filter(|run| run.lengthens);
        queue.lengthening.extend(lengthening.map(|run| RunId::from(run.candidate.run)));
        queue.candidates.extend(runs.into_iter().map(|run| run.candidate));
    }
    Ok(queue)
}

/// By sweep, the datasets of its queued runs that the worker can train. This is looked up before anything is locked.
async fn trainable(tx: &mut Connection, worker: &Caller) -> Result<BTreeMap<SweepId, Vec<String>>> {
    let rows = sqlx::query(TRAINABLE).bind(&worker.datasets).fetch_all(tx).await?;
    let mut trainable = BTreeMap::<SweepId, Vec<String>>::new();
    for row in &rows {
        let dataset: String = row.try_get("dataset")?;
        if row.try_get("on_worker")? || is_on_any_worker(&dataset) {
            trainable.entry(row.try_get("sweep_id")?).or_default().push(dataset);
        }
    }
    Ok(trainable)
}

/// Locks the sweeps `$1`.
const LOCK: &str = concat!("select id from sweeps where id ", among!("$1"), " order by id", for_update!());

/// Those of the sweeps `$1` that are not paused, in the order of their turns.
pub(in crate::store) const TURNS: &str = concat!(
    "select s.id, s.max_concurrent,
            (select cast(coalesce(sum(t.runs), 0) as bigint) from tallies t
             where t.sweep_id = s.id and t.state = 'running') as running
     from sweeps s where s.paused is null and s.id ",
    among!("$1"),
    " order by s.priority desc, s.id"
);

/// Locks these sweeps; answers those that are not paused, in the order of their turns.
async fn lock(tx: &mut Connection, sweeps: impl Iterator<Item = SweepId>) -> Result<Vec<Row>> {
    let ids = Ids::new(sweeps);
    if HAS_ROW_LOCKS {
        sqlx::query(LOCK).bind(ids.as_json()).fetch_all(&mut *tx).await?;
    }
    // A statement of its own, after the locks: a statement that waited for the locks would still see what was there
    // when it began to wait.
    Ok(sqlx::query(TURNS).bind(ids.as_json()).fetch_all(tx).await?)
}

/// How many more runs the sweep may start; `None` if it has no limit.
fn free(sweep: &Row) -> Result<Option<u32>> {
    let Some(limit) = sweep.try_get::<Option<i64>, _>("max_concurrent")? else { return Ok(None) };
    let running: i64 = sweep.try_get("running")?;
    Ok(Some(u32::try_from(limit - running).unwrap_or(0)))
}

/// The runs that [`FIRST_GROUPS`] finds. Runs whose configuration cannot be read are left
/// out of the queue from now on.
async fn first_groups(
    tx: &mut Connection,
    sweep: SweepId,
    dataset: &str,
    worker: &Caller,
    offer: Offer,
    now_ms: i64,
) -> Result<Vec<Placed>> {
    let (groups, size) = (i64::from(offer.groups), i64::from(offer.group_size.max(1)));
    let mut found = Vec::new();
    for look in 0..LOOKS {
        // Where one run cannot be read, the next ones often cannot either: further looks are at many.
        let least = if look == 0 { 0 } else { LOOK };
        let rows = sqlx::query(FIRST_GROUPS)
            .bind(sweep)
            .bind(dataset)
            .bind(size)
            // Without groups, the first runs are enough.
            .bind(if size == 1 { groups.max(least) } else { HORIZON })
            .bind((groups * size).max(least))
            .bind(&worker.name)
            .bind(now_ms.saturating_sub(ELSEWHERE_MS))
            // A fault of a later time was noted while the clock was wrong.
            .bind(now_ms)
            .fetch_all(&mut *tx)
            .await?;
        let unreadable;
        (found, unreadable) = candidates(&rows, sweep)?;
        if unreadable.is_empty() {
            break;
        }
        set_aside(tx, sweep, unreadable).await?;
    }
    Ok(found)
}

/// The runs that can be read, and those that cannot be.
fn candidates(rows: &[Row], sweep: SweepId) -> Result<(Vec<Placed>, Unreadable)> {
    let (mut found, mut unreadable) = (Vec::with_capacity(rows.len()), Unreadable::new());
    for row in rows {
        match configuration(row) {
            Ok(_) => {
                let shape_key = row.try_get("shape_key")?;
                let candidate = Candidate { run: unsigned(row, "id")?, sweep: sweep.into(), shape_key };
                let (index, lengthens) = (row.try_get("idx")?, row.try_get("lengthens")?);
                found.push(Placed { index, candidate, lengthens });
            }
            Err(reason) => unreadable.entry(reason.to_string()).or_default().push(row.try_get("id")?),
        }
    }
    Ok((found, unreadable))
}

/// Leaves runs out of the queue, each for its reason.
async fn set_aside(tx: &mut Connection, sweep: SweepId, unreadable: Unreadable) -> Result<()> {
    for (reason, runs) in unreadable {
        tracing::error!(
            %sweep,
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
