//! Points of metrics, and what keeps their summaries in step with them.

mod summary;

use std::collections::{BTreeSet, HashMap, HashSet};

use sqlx::Row as _;

use super::columns::unsigned;
use super::dialect::{Connection, insert_all, insert_missing};
use super::fence::{held, is_held};
use super::progress::{acked_seq, check_step};
use crate::store::{AttemptRef, Point, Result, RunId, StoreError};
use summary::{Summaries, recompute};

/// Appends an attempt's points, numbered from `first_seq`; answers the highest number up to which all are durable.
/// Points that are known are skipped, and after a gap none is taken.
pub(super) async fn append(
    tx: &mut Connection,
    attempt: AttemptRef,
    first_seq: u64,
    points: &[Point],
    step: u64,
) -> Result<u64> {
    let acked = own(tx, attempt, step).await?;
    let known = (acked + 1).checked_sub(first_seq);
    let Some(known) = known.and_then(|known| usize::try_from(known).ok()) else {
        return Ok(acked); // There is a gap.
    };
    let Some(news @ [_, ..]) = points.get(known..) else {
        return Ok(acked);
    };
    let acked = acked + news.len() as u64;
    let mismatches = insert(tx, attempt, news).await?;
    sqlx::query(
        "update attempts set acked_seq = $3, replay_mismatches = replay_mismatches + $4
         where run_id = $1 and number = $2",
    )
    .bind(attempt.run)
    .bind(i64::from(attempt.number))
    .bind(acked.cast_signed())
    .bind(mismatches)
    .execute(tx)
    .await?;
    Ok(acked)
}

/// Proves that the attempt holds its run, and notes how far the run is, which a late report does not take back; answers
/// the highest number up to which all points are durable.
async fn own(tx: &mut Connection, attempt: AttemptRef, step: u64) -> Result<u64> {
    let owned = held(
        concat!(
            "update runs set step = case when step < $4 then $4 else step end where ",
            is_held!(),
            " returning total_steps"
        ),
        attempt,
    )
    .bind(step.cast_signed())
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(StoreError::Fenced(attempt))?;
    check_step(step, &owned)?;
    acked_seq(tx, attempt).await
}

/// Inserts points, and adds them to the summaries. A point that is there already, an earlier attempt's or one reported
/// twice, is kept if it is equal and replaced if not; answers how many were not equal.
pub(super) async fn insert(tx: &mut Connection, attempt: AttemptRef, points: &[Point]) -> Result<i64> {
    let mut summaries = summaries(tx, attempt.run, points).await?;
    if go_on(&summaries, points) {
        insert_all(tx, attempt, points).await?;
        add(tx, attempt.run, &mut summaries, points).await?;
        return Ok(0);
    }
    let (new, replayed) = insert_new(tx, attempt, points).await?;
    add(tx, attempt.run, &mut summaries, new).await?;
    replace(tx, attempt, &replayed).await
}

/// Computes all summaries of a run anew.
pub(super) async fn summarize(tx: &mut Connection, run: RunId) -> Result<()> {
    let names: Vec<String> = sqlx::query_scalar("select distinct name from metrics where run_id = $1")
        .bind(run)
        .fetch_all(&mut *tx)
        .await?;
    for name in names {
        recompute(tx, run, &name).await?;
    }
    Ok(())
}

/// The summaries of the metrics that these are points of, as far as there are any.
async fn summaries(tx: &mut Connection, run: RunId, points: &[Point]) -> Result<Summaries> {
    let names: BTreeSet<&str> = points.iter().map(|point| point.name.as_str()).collect();
    summary::fetch(tx, run, &names.into_iter().collect::<Vec<_>>()).await
}

/// Whether each point is of a later step than all that its metric has before it, as it nearly always is: then all are new.
fn go_on(summaries: &Summaries, points: &[Point]) -> bool {
    let mut last_steps: HashMap<&str, u64> =
        summaries.iter().map(|(name, summary)| (name.as_str(), summary.last_step())).collect();
    points.iter().all(|point| {
        let before = last_steps.insert(&point.name, point.step);
        before.is_none_or(|before| before < point.step)
    })
}

/// Inserts the points that are not there yet; answers those, and the others.
async fn insert_new<'p>(
    tx: &mut Connection,
    attempt: AttemptRef,
    points: &'p [Point],
) -> Result<(Vec<&'p Point>, Vec<&'p Point>)> {
    let rows = insert_missing(tx, attempt, points).await?;
    let mut inserted = HashSet::with_capacity(rows.len());
    for row in &rows {
        inserted.insert((row.try_get::<&str, _>("name")?, unsigned::<u64>(row, "step")?));
    }
    // Of two points for one step in a batch, the first was inserted.
    Ok(points.iter().partition(|point| inserted.remove(&(point.name.as_str(), point.step))))
}

/// Adds new points to the summaries, and stores those that change.
async fn add<'p>(
    tx: &mut Connection,
    run: RunId,
    summaries: &mut Summaries,
    points: impl IntoIterator<Item = &'p Point>,
) -> Result<()> {
    let mut changed = Summaries::new();
    for point in points {
        let summary = match changed.get_mut(&point.name) {
            Some(summary) => summary,
            None => {
                let known = summaries.remove(&point.name).unwrap_or_default();
                changed.entry(point.name.clone()).or_insert(known)
            }
        };
        summary.add(point.step, point.value);
    }
    summary::store(tx, run, &changed).await
}

/// Replaces the values of points that are there and differ, and computes their summaries anew; answers how many
/// differed.
async fn replace(tx: &mut Connection, attempt: AttemptRef, points: &[&Point]) -> Result<i64> {
    let run = attempt.run;
    let mut changed = BTreeSet::new();
    let mut mismatches = 0;
    for point in points {
        let replaced = sqlx::query(
            "update metrics set value = $4, attempt = $5 where run_id = $1 and name = $2 and step = $3 and value <> $4",
        )
        .bind(run)
        .bind(&point.name)
        .bind(point.step.cast_signed())
        .bind(point.value)
        .bind(i64::from(attempt.number))
        .execute(&mut *tx)
        .await?;
        if replaced.rows_affected() > 0 {
            mismatches += 1;
            changed.insert(point.name.as_str());
        }
    }
    for name in changed {
        recompute(tx, run, name).await?;
    }
    Ok(mismatches)
}

/// Points as they are stored: SQLite does not keep the sign of zero. Finite values that compare equal then have equal bits.
pub(super) fn storable(mut points: Vec<Point>) -> Vec<Point> {
    for point in points.iter_mut().filter(|point| point.value == 0.0) {
        point.value = 0.0;
    }
    points
}
