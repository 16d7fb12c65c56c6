//! Points of metrics, and what keeps their summaries in step with them.

mod summary;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::{QueryBuilder, Row as _};

use super::columns::unsigned;
use super::dialect::Connection;
use super::fence::{held, is_held};
use super::progress::{acked_seq, check_step};
use crate::store::{AttemptRef, Point, Result, RunId, StoreError};
use summary::recompute;

/// Metrics whose summaries one statement changes. SQLite takes 32,766 bound values in a statement.
const NAMES: usize = 1000;

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
    let (new, replayed) = insert_new(tx, attempt, points).await?;
    add_to_summaries(tx, attempt.run, &new).await?;
    replace(tx, attempt, &replayed).await
}

/// Inserts the points that are not there yet; answers those, and the others.
async fn insert_new<'p>(
    tx: &mut Connection,
    attempt: AttemptRef,
    points: &'p [Point],
) -> Result<(Vec<&'p Point>, Vec<&'p Point>)> {
    let mut insert = QueryBuilder::new("insert into metrics (run_id, name, step, value, attempt) ");
    insert.push_values(points, |mut row, point| {
        row.push_bind(attempt.run)
            .push_bind(&point.name)
            .push_bind(point.step.cast_signed())
            .push_bind(stored(point.value))
            .push_bind(i64::from(attempt.number));
    });
    insert.push(" on conflict do nothing returning name, step");
    let rows = insert.build().fetch_all(tx).await?;
    let mut inserted = HashSet::with_capacity(rows.len());
    for row in &rows {
        inserted.insert((row.try_get::<&str, _>("name")?, unsigned::<u64>(row, "step")?));
    }
    // Of two points for one step in a batch, the first was inserted.
    Ok(points.iter().partition(|point| inserted.remove(&(point.name.as_str(), point.step))))
}

async fn add_to_summaries(tx: &mut Connection, run: RunId, points: &[&Point]) -> Result<()> {
    let mut by_name = BTreeMap::<&str, Vec<&Point>>::new();
    for point in points {
        by_name.entry(&point.name).or_default().push(point);
    }
    let names: Vec<&str> = by_name.keys().copied().collect();
    for names in names.chunks(NAMES) {
        let mut summaries = summary::fetch(tx, run, names).await?;
        for &name in names {
            let summary = summaries.entry(name.to_owned()).or_default();
            for point in by_name.get(name).into_iter().flatten() {
                summary.add(point.step, stored(point.value));
            }
        }
        summary::store(tx, run, &summaries).await?;
    }
    Ok(())
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
        .bind(stored(point.value))
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

/// A value as it is stored: SQLite does not keep the sign of zero. Finite values that compare equal then have equal
/// bits.
fn stored(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value }
}
