//! Sweeps that nobody wants any more, deleted in steps: each is a transaction over some runs, so nobody waits for long, and
//! whoever is asked again after a step goes on from there.

use sqlx::Row as _;

use super::columns::unsigned;
use super::dialect::{Connection, among};
use super::ids::Ids;
use super::{checkpoints, locks};
use crate::store::{Result, RunId, StoreError, SweepId, Weight};

/// Runs of a step at the most, and points that they have together: on Postgres a statement has ten seconds.
const STEP: i64 = 20;
const POINTS: u64 = 1_000_000;

/// Why the sweep starts no runs meanwhile.
const FORGETTING: &str = "it is being forgotten; `acai forget` goes on with that";

/// What the sweep has, in its plan and set aside; `None` if there is no such sweep.
pub(super) async fn weigh(reader: &mut Connection, sweep: &str) -> Result<Option<Weight>> {
    let row = sqlx::query(
        "select s.id,
                (select count(*) from runs r where r.sweep_id = s.id) as runs,
                (select count(*) from runs r where r.sweep_id = s.id and r.state = 'running') as running,
                (select cast(coalesce(sum(m.count), 0) as bigint) from summaries m join runs r on r.id = m.run_id
                 where r.sweep_id = s.id) as points,
                (select count(*) from checkpoints c join runs r on r.id = c.run_id where r.sweep_id = s.id) as checkpoints,
                (select count(*) from artifacts a join runs r on r.id = a.run_id where r.sweep_id = s.id) as artifacts,
                (select cast(coalesce(sum(c.bytes), 0) as bigint) from checkpoints c join runs r on r.id = c.run_id
                 where r.sweep_id = s.id)
                + (select cast(coalesce(sum(a.bytes), 0) as bigint) from artifacts a join runs r on r.id = a.run_id
                   where r.sweep_id = s.id) as bytes
         from sweeps s where s.name = $1",
    );
    let Some(row) = row.bind(sweep).fetch_optional(reader).await? else { return Ok(None) };
    Ok(Some(Weight {
        runs: unsigned(&row, "runs")?,
        running: unsigned(&row, "running")?,
        points: unsigned(&row, "points")?,
        checkpoints: unsigned(&row, "checkpoints")?,
        artifacts: unsigned(&row, "artifacts")?,
        bytes: unsigned(&row, "bytes")?,
    }))
}

/// Pauses the sweep for good, if none of its runs is held; answers its id, `None` if there is no such sweep.
pub(super) async fn begin(tx: &mut Connection, sweep: &str) -> Result<Option<SweepId>> {
    let Some(sweep_id) = locks::sweep_named(tx, sweep).await? else { return Ok(None) };
    let running: i64 =
        sqlx::query_scalar("select count(*) from runs where sweep_id = $1 and state = 'running'")
            .bind(sweep_id)
            .fetch_one(&mut *tx)
            .await?;
    if running > 0 {
        return Err(StoreError::Conflict(format!(
            "{running} runs of {sweep} are being trained\nhint: `acai cancel {sweep}` first, and wait until they are given back"
        )));
    }
    sqlx::query("update sweeps set paused = $2 where id = $1")
        .bind(sweep_id)
        .bind(FORGETTING)
        .execute(tx)
        .await?;
    Ok(Some(sweep_id))
}

/// The first of these runs, with the points that they have, that one step can delete: none if the first has too many.
fn few(runs: Vec<(RunId, u64)>) -> Vec<RunId> {
    let points = runs.iter().scan(0, |all, (_, points)| {
        *all += points;
        Some(*all)
    });
    let few = points.take_while(|all| *all <= POINTS).count();
    runs.into_iter().take(few).map(|(run, _)| run).collect()
}

/// A step: deletes some runs, and after the last one the sweep itself. False: there is nothing left.
pub(super) async fn step(tx: &mut Connection, sweep_id: SweepId, now_ms: i64) -> Result<bool> {
    locks::sweep(tx, sweep_id).await?;
    let rows = sqlx::query(
        "select id, (select cast(coalesce(sum(m.count), 0) as bigint) from summaries m where m.run_id = r.id) as points
         from runs r where sweep_id = $1 and state <> 'running' order by id limit $2",
    );
    let rows = rows.bind(sweep_id).bind(STEP).fetch_all(&mut *tx).await?;
    let runs = rows.iter().map(|row| Ok((row.try_get("id")?, unsigned(row, "points")?)));
    let runs = runs.collect::<Result<Vec<(RunId, u64)>>>()?;
    let Some(&(first, _)) = runs.first() else {
        for statement in [
            "delete from events where sweep_id = $1",
            "delete from tallies where sweep_id = $1",
            "delete from sweeps where id = $1",
        ] {
            sqlx::query(statement).bind(sweep_id).execute(&mut *tx).await?;
        }
        return Ok(false);
    };
    let runs = few(runs);
    if runs.is_empty() {
        forget_metric(tx, first).await?;
        return Ok(true);
    }
    let runs = Ids::new(runs);
    locks::runs(tx, &runs).await?;
    for statement in [
        concat!("delete from events where run_id ", among!("$1")),
        concat!("delete from metrics where run_id ", among!("$1")),
        concat!("delete from summaries where run_id ", among!("$1")),
        concat!("delete from results_of_runs where run_id ", among!("$1")),
        concat!("delete from attempts where run_id ", among!("$1")),
    ] {
        sqlx::query(statement).bind(runs.as_json()).execute(&mut *tx).await?;
    }
    checkpoints::forget(tx, &runs, now_ms).await?;
    let deleted = concat!("delete from runs where id ", among!("$1"));
    sqlx::query(deleted).bind(runs.as_json()).execute(tx).await?;
    Ok(true)
}

/// Deletes a metric of a run that has too many points for one step.
async fn forget_metric(tx: &mut Connection, run: RunId) -> Result<()> {
    locks::runs(tx, &Ids::new(vec![run])).await?;
    let name: String =
        sqlx::query_scalar("select name from summaries where run_id = $1 order by name limit 1")
            .bind(run)
            .fetch_one(&mut *tx)
            .await?;
    for statement in [
        "delete from metrics where run_id = $1 and name = $2",
        "delete from summaries where run_id = $1 and name = $2",
    ] {
        sqlx::query(statement).bind(run).bind(&name).execute(&mut *tx).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_deletes_no_more_points_than_it_can_and_none_of_a_run_that_has_too_many() {
        let of = |points: &[u64]| {
            few(points.iter().zip(1u64..).map(|(&of, run)| (run.into(), of)).collect()).len()
        };
        assert_eq!(of(&[100; 20]), 20);
        assert_eq!(of(&[500_000; 20]), 2);
        assert_eq!(of(&[1, 3_000_000]), 1);
        assert_eq!(of(&[3_000_000, 1]), 0);
    }
}
