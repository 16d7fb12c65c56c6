//! What is known of a metric of a run without reading its points.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Row as _};

use super::super::columns::unsigned;
use super::super::dialect::{Connection, Row, elements};
use crate::store::{Result, RunId};

/// The summary of a metric of a run.
///
/// Points are added one by one, so that the bits of the sum do not depend on how the points were cut into batches.
#[derive(Debug, Default)]
pub(super) struct Summary {
    last_step: u64,
    last: f64,
    min: f64,
    max: f64,
    sum: f64,
    count: i64,
}

/// Summaries by the names of their metrics.
pub(super) type Summaries = BTreeMap<String, Summary>;

/// Metrics whose summaries one statement changes. SQLite takes 32,766 bound values in a statement.
const NAMES: usize = 1000;

impl Summary {
    /// The largest step that has a point; 0 if there is none.
    pub(super) fn last_step(&self) -> u64 {
        self.last_step
    }

    pub(super) fn add(&mut self, step: u64, value: f64) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        }
        if step >= self.last_step {
            (self.last_step, self.last) = (step, value);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        // Points are finite, and so is the sum: where it would be beyond the largest number, it stays at that.
        self.sum = (self.sum + value).clamp(f64::MIN, f64::MAX);
        self.count += 1;
    }
}

/// The summaries of these metrics of a run so far, by their names.
pub(super) async fn fetch(tx: &mut Connection, run: RunId, names: &[&str]) -> Result<Summaries> {
    let rows = sqlx::query(concat!(
        "select name, last_step, last, min, max, sum, count from summaries where run_id = $1 and name in (",
        elements!("$2"),
        ")"
    ))
    .bind(run)
    .bind(serde_json::json!(names).to_string())
    .fetch_all(tx)
    .await?;
    let summary = |row: &Row| {
        let summary = Summary {
            last_step: unsigned(row, "last_step")?,
            last: row.try_get("last")?,
            min: row.try_get("min")?,
            max: row.try_get("max")?,
            sum: row.try_get("sum")?,
            count: row.try_get("count")?,
        };
        Ok((row.try_get("name")?, summary))
    };
    rows.iter().map(summary).collect()
}

/// Stores summaries of metrics of a run.
pub(super) async fn store(tx: &mut Connection, run: RunId, summaries: &Summaries) -> Result<()> {
    let all: Vec<_> = summaries.iter().collect();
    for summaries in all.chunks(NAMES) {
        let mut insert =
            QueryBuilder::new("insert into summaries (run_id, name, last_step, last, min, max, sum, count) ");
        insert.push_values(summaries, |mut row, (name, summary)| {
            row.push_bind(run)
                .push_bind(name)
                .push_bind(summary.last_step.cast_signed())
                .push_bind(summary.last)
                .push_bind(summary.min)
                .push_bind(summary.max)
                .push_bind(summary.sum)
                .push_bind(summary.count);
        });
        insert.push(
            " on conflict (run_id, name) do update set last_step = excluded.last_step, last = excluded.last,
                  min = excluded.min, max = excluded.max, sum = excluded.sum, count = excluded.count",
        );
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Computes the summary of a metric anew, from all of its points.
pub(super) async fn recompute(tx: &mut Connection, run: RunId, name: &str) -> Result<()> {
    let points = sqlx::query("select step, value from metrics where run_id = $1 and name = $2 order by step")
        .bind(run)
        .bind(name)
        .fetch_all(&mut *tx)
        .await?;
    let mut summary = Summary::default();
    for point in &points {
        summary.add(unsigned(point, "step")?, point.try_get("value")?);
    }
    store(tx, run, &BTreeMap::from([(name.to_owned(), summary)])).await
}
