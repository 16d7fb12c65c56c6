//! Points of metrics and their summaries.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::{QueryBuilder, Row as _};

use super::dialect::Connection;
use super::fence::{held, is_held};
use super::runs::{acked_seq, unsigned, within};
use crate::store::{AttemptRef, Point, Result, StoreError};

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
        return Ok(acked); // a gap
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
    .bind(attempt.run.cast_signed())
    .bind(i64::from(attempt.number))
    .bind(acked.cast_signed())
    .bind(mismatches)
    .execute(tx)
    .await?;
    Ok(acked)
}

/// Proves that the attempt holds its run, and notes its progress, which a report that comes late does not take back;
/// answers its highest durable number.
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
    within(step, &owned)?;
    acked_seq(tx, attempt).await
}

/// As it is stored: SQLite does not keep the sign of zero. Finite values that compare equal then have equal bits.
fn stored(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value }
}

/// Inserts what is new. A point that an earlier attempt wrote is kept if it is equal and replaced
/// if not; answers how many were not.
async fn insert(tx: &mut Connection, attempt: AttemptRef, points: &[Point]) -> Result<i64> {
    let run = attempt.run.cast_signed();
    let mut insert = QueryBuilder::new("insert into metrics (run_id, name, step, value, attempt) ");
    insert.push_values(points, |mut row, point| {
        row.push_bind(run)
            .push_bind(&point.name)
            .push_bind(point.step.cast_signed())
            .push_bind(stored(point.value))
            .push_bind(i64::from(attempt.number));
    });
    insert.push(" on conflict do nothing returning name, step");
    let rows = insert.build().fetch_all(&mut *tx).await?;
    let mut inserted = HashSet::with_capacity(rows.len());
    for row in &rows {
        inserted.insert((row.try_get::<&str, _>("name")?, unsigned::<u64>(row, "step")?));
    }
    let (new, replayed): (Vec<&Point>, Vec<&Point>) =
        points.iter().partition(|point| inserted.contains(&(point.name.as_str(), point.step)));
    for (name, summary) in summarize(&new) {
        fold(tx, run, name, summary).await?;
    }

    let mut changed = BTreeSet::new();
    let mut mismatches = 0;
    for point in replayed {
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

struct Summary {
    last_step: u64,
    last: f64,
    min: f64,
    max: f64,
    sum: f64,
    count: i64,
}

fn summarize<'p>(points: &[&'p Point]) -> BTreeMap<&'p str, Summary> {
    let mut summaries: BTreeMap<&str, Summary> = BTreeMap::new();
    for point in points {
        let (step, value) = (point.step, stored(point.value));
        let summary = summaries.entry(&point.name).or_insert(Summary {
            last_step: step,
            last: value,
            min: value,
            max: value,
            sum: 0.0,
            count: 0,
        });
        if step >= summary.last_step {
            (summary.last_step, summary.last) = (step, value);
        }
        summary.min = summary.min.min(value);
        summary.max = summary.max.max(value);
        summary.sum += value;
        summary.count += 1;
    }
    summaries
}

async fn fold(tx: &mut Connection, run: i64, name: &str, new: Summary) -> Result<()> {
    sqlx::query(
        "insert into summaries (run_id, name, last_step, last, min, max, sum, count)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (run_id, name) do update set
             last = case when excluded.last_step >= summaries.last_step then excluded.last else summaries.last end,
             last_step = case when excluded.last_step >= summaries.last_step then excluded.last_step else summaries.last_step end,
             min = case when excluded.min < summaries.min then excluded.min else summaries.min end,
             max = case when excluded.max > summaries.max then excluded.max else summaries.max end,
             sum = summaries.sum + excluded.sum,
             count = summaries.count + excluded.count",
    )
    .bind(run)
    .bind(name)
    .bind(new.last_step.cast_signed())
    .bind(new.last)
    .bind(new.min)
    .bind(new.max)
    .bind(new.sum)
    .bind(new.count)
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes a summary again from its points.
async fn recompute(tx: &mut Connection, run: i64, name: &str) -> Result<()> {
    sqlx::query(
        "update summaries set (last_step, last, min, max, sum, count) =
            (select max(step), (select value from metrics where run_id = $1 and name = $2 order by step desc limit 1),
                    min(value), max(value), sum(value), count(*)
             from metrics where run_id = $1 and name = $2)
         where run_id = $1 and name = $2",
    )
    .bind(run)
    .bind(name)
    .execute(tx)
    .await?;
    Ok(())
}
