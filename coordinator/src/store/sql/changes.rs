//! What people want of runs, done in steps.
//!
//! A first transaction selects the runs that the request is about. Then each step, a transaction of its own, changes
//! some of these runs. So nobody else waits for long, however many runs there are. If the caller goes away after some
//! steps, the request can be made again: it does nothing to runs that have been changed already.

use std::collections::BTreeSet;

use acai_sweep::control::{Change, Intent};
use acai_sweep::run::{Desired, RunState};
use sqlx::Row as _;

use super::checkpoints;
use super::columns::{desired, state, unsigned};
use super::dialect::{Connection, Row, among, for_update, is_one_of};
use super::events::{self, Cause};
use super::failure_limit::{failed_runs, forget_failures_undone};
use super::ids::Ids;
use super::locks;
use crate::store::rules::{BY_REQUEST, change_of};
use crate::store::{Changes, Result, RunId, StoreError, SweepId};

/// How many runs one step changes.
pub(super) const STEP: usize = 1000;

/// The runs that an intent is about.
pub(super) struct Selection {
    pub(super) sweep_id: SweepId,
    /// The runs that the intent would change, in the plan's order.
    pub(super) runs: Vec<RunId>,
    /// How many runs the intent would leave as they are.
    pub(super) unchanged: u32,
}

/// Selects the runs of these numbers in the sweep's plan; `None` if there is no such sweep. Without numbers all runs of the
/// plan are selected, and the sweep itself is paused or resumed. Then an intent to cancel is also about runs that left
/// the plan while they were trained.
pub(super) async fn select(
    tx: &mut Connection,
    sweep: &str,
    numbers: &[u32],
    intent: &Intent,
) -> Result<Option<Selection>> {
    let Some(sweep_id) = locks::sweep_named(tx, sweep).await? else { return Ok(None) };
    let whole = numbers.is_empty();
    if whole {
        set_paused(tx, sweep_id, intent).await?;
    }
    let rows = sqlx::query(concat!(
        "select id, number, state, desired from runs
         where sweep_id = $1 and (in_plan = true and ($2 or number ",
        is_one_of!("$3"),
        ") or in_plan = false and state = 'running' and $4) order by in_plan desc, idx"
    ))
    .bind(sweep_id)
    .bind(whole)
    .bind(Ids::new(numbers.iter().copied()).as_json())
    .bind(whole && *intent == Intent::Cancel)
    .fetch_all(&mut *tx)
    .await?;
    let found = rows.iter().map(|row| unsigned(row, "number")).collect::<Result<BTreeSet<u32>>>()?;
    if let Some(&number) = numbers.iter().find(|number| !found.contains(number)) {
        return Err(StoreError::NoSuchRun { number });
    }
    let mut selection = Selection { sweep_id, runs: Vec::with_capacity(rows.len()), unchanged: 0 };
    for row in &rows {
        match change_of(intent, whole, state(row)?, desired(row)?) {
            Change::Nothing => selection.unchanged += 1,
            _ => selection.runs.push(row.try_get("id")?),
        }
    }
    Ok(Some(selection))
}

/// Pauses or resumes the sweep itself, if the intent is that.
async fn set_paused(tx: &mut Connection, sweep_id: SweepId, intent: &Intent) -> Result<()> {
    match intent {
        Intent::Pause | Intent::PauseNow => {
            sqlx::query("update sweeps set paused = coalesce(paused, $2) where id = $1")
                .bind(sweep_id)
                .bind(BY_REQUEST)
                .execute(tx)
                .await?;
        }
        Intent::Resume => {
            sqlx::query(concat!(
                "update sweeps set paused = null, failed_at_resume = ",
                failed_runs!(),
                " where id = $1"
            ))
            .bind(sweep_id)
            .execute(tx)
            .await?;
        }
        Intent::Cancel | Intent::Retry { .. } => {}
    }
    Ok(())
}

/// Does one step: changes these runs of a sweep as `intent` asks, by the states that they have now.
pub(super) async fn apply(
    tx: &mut Connection,
    sweep_id: SweepId,
    runs: &[RunId],
    intent: &Intent,
    whole: bool,
    now_ms: i64,
) -> Result<Changes> {
    locks::sweep(tx, sweep_id).await?;
    let rows = sqlx::query(concat!(
        "select id, state, desired from runs where id ",
        among!("$1"),
        " order by id",
        for_update!()
    ))
    .bind(Ids::new(runs.iter().copied()).as_json())
    .fetch_all(&mut *tx)
    .await?;
    let mut changes = Changes::default();
    for (change, runs) in by_change(&rows, intent, whole)? {
        let (ids, count) = (Ids::new(runs.iter().copied()), u32::try_from(runs.len()).unwrap_or(u32::MAX));
        match change {
            Change::Become(next) => {
                enter(tx, sweep_id, &ids, next, intent, now_ms).await?;
                changes.changed += count;
            }
            Change::Ask(desired) => {
                set_desired(tx, &ids, Some(desired)).await?;
                changes.asked += count;
            }
            Change::Withdraw => {
                set_desired(tx, &ids, None).await?;
                changes.changed += count;
            }
            Change::Nothing => changes.unchanged += count,
        }
    }
    forget_failures_undone(tx, sweep_id).await?;
    Ok(changes)
}

/// The ids of the runs, by what the intent does to them.
fn by_change(rows: &[Row], intent: &Intent, whole: bool) -> Result<Vec<(Change, Vec<RunId>)>> {
    let mut groups: Vec<(Change, Vec<RunId>)> = Vec::new();
    for row in rows {
        let change = change_of(intent, whole, state(row)?, desired(row)?);
        let id = row.try_get("id")?;
        match groups.iter_mut().find(|(of, _)| *of == change) {
            Some((_, runs)) => runs.push(id),
            None => groups.push((change, vec![id])),
        }
    }
    Ok(groups)
}

/// Moves runs into the state `next`. A retry also forgets their failures, losses and faults; one from scratch also
/// forgets their checkpoints and artifacts.
async fn enter(
    tx: &mut Connection,
    sweep_id: SweepId,
    runs: &Ids,
    next: RunState,
    intent: &Intent,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(concat!(
        "update runs set state = $2, finished_ms = case when $3 then $4 end,
                         queued_ms = case when $2 = 'queued' then $4 else queued_ms end,
                         failures = case when $5 then 0 else failures end,
                         losses = case when $5 then 0 else losses end,
                         faults_after = case when $5 then attempt else faults_after end,
                         alone = case when $5 then false else alone end
         where id ",
        among!("$1")
    ))
    .bind(runs.as_json())
    .bind(next.as_str())
    .bind(next.is_terminal())
    .bind(now_ms)
    .bind(matches!(intent, Intent::Retry { .. }))
    .execute(&mut *tx)
    .await?;
    if matches!(intent, Intent::Retry { from_scratch: true, .. }) {
        checkpoints::forget(tx, runs, now_ms).await?;
    }
    events::note(tx, sweep_id, runs, Cause::Person, None, now_ms).await
}

/// Notes what the holders of these runs are asked.
async fn set_desired(tx: &mut Connection, runs: &Ids, desired: Option<Desired>) -> Result<()> {
    sqlx::query(concat!("update runs set desired = $2 where id ", among!("$1")))
        .bind(runs.as_json())
        .bind(desired.map(|desired| desired.state().as_str()))
        .execute(tx)
        .await?;
    Ok(())
}
