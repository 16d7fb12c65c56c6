//! Points of metrics and their summaries.

use std::collections::{BTreeSet, HashSet};

use sqlx::{QueryBuilder, Row as _};

use super::columns::unsigned;
use super::dialect::Connection;
use super::fence::{held, is_held};
use super::progress::{acked_seq, check_step};
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
    check_step(step, &owned)?;
    acked_seq(tx, attempt).await
}

/// As it is stored: SQLite does not keep the sign of zero. Finite values that compare equal then have equal bits.
fn stored(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value }
}

/// Inserts what is new. A point that is there, an earlier attempt's or one reported twice, is kept if it is equal and
/// replaced if not; answers how many were not.
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
    // Of two points for one step in a batch, the first was inserted.
    let (new, replayed): (Vec<&Point>, Vec<&Point>) =
        points.iter().partition(|point| inserted.remove(&(point.name.as_str(), point.step)));
    let names: BTreeSet<&str> = new.iter().map(|point| point.name.as_str()).collect();
    for name in names {
        let mut summary = summary(tx, run, name).await?;
        let points = new.iter().filter(|point| point.name == name);
        points.for_each(|point| summary.add(point.step, stored(point.value)));
        summary.store(tx, run, name).await?;
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

/// What is known of a metric of a run without reading its points.
///
/// Points are added one by one, so that how they were cut into batches leaves no trace in the bits of the sum.
#[derive(Debug, Default)]
struct Summary {
    last_step: u64,
    last: f64,
    min: f64,
    max: f64,
    sum: f64,
    count: i64,
}

impl Summary {
    fn add(&mut self, step: u64, value: f64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        }
        if step >= self.last_step {
            (self.last_step, self.last) = (step, value);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        // Finite, as points are: a sum beyond what a number can be stays at its end.
        self.sum = (self.sum + value).clamp(f64::MIN, f64::MAX);
        self.count += 1;
    }

    async fn store(&self, tx: &mut Connection, run: i64, name: &str) -> Result<()> {
        sqlx::query(
            "insert into summaries (run_id, name, last_step, last, min, max, sum, count)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (run_id, name) do update set last_step = excluded.last_step, last = excluded.last,
                 min = excluded.min, max = excluded.max, sum = excluded.sum, count = excluded.count",
        )
        .bind(run)
        .bind(name)
        .bind(self.last_step.cast_signed())
        .bind(self.last)
        .bind(self.min)
        .bind(self.max)
        .bind(self.sum)
        .bind(self.count)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// The summary of a metric so far; of no points if there is none.
async fn summary(tx: &mut Connection, run: i64, name: &str) -> Result<Summary> {
    let row = sqlx::query(
        "select last_step, last, min, max, sum, count from summaries where run_id = $1 and name = $2",
    )
    .bind(run)
    .bind(name)
    .fetch_optional(tx)
    .await?;
    let Some(row) = row else { return Ok(Summary::default()) };
    Ok(Summary {
        last_step: unsigned(&row, "last_step")?,
        last: row.try_get("last")?,
        min: row.try_get("min")?,
        max: row.try_get("max")?,
        sum: row.try_get("sum")?,
        count: row.try_get("count")?,
    })
}

/// Makes a summary again from its points.
async fn recompute(tx: &mut Connection, run: i64, name: &str) -> Result<()> {
    let points = sqlx::query("select step, value from metrics where run_id = $1 and name = $2 order by step")
        .bind(run)
        .bind(name)
        .fetch_all(&mut *tx)
        .await?;
    let mut summary = Summary::default();
    for point in &points {
        summary.add(unsigned(point, "step")?, point.try_get("value")?);
    }
    summary.store(tx, run, name).await
}
