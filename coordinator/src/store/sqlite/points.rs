//! Points are added by one statement with all their values, each bound to it.

use sqlx::{QueryBuilder, Sqlite};

use super::dialect::{Connection, Row};
use crate::store::{AttemptRef, Point, Result};

fn insert(attempt: AttemptRef, points: &[Point]) -> QueryBuilder<Sqlite> {
    let mut insert = QueryBuilder::new("insert into metrics (run_id, name, step, value, attempt) ");
    insert.push_values(points, |mut row, point| {
        row.push_bind(attempt.run)
            .push_bind(&point.name)
            .push_bind(point.step.cast_signed())
            .push_bind(point.value)
            .push_bind(i64::from(attempt.number));
    });
    insert
}

/// Adds points that are not there.
pub(super) async fn insert_all(tx: &mut Connection, attempt: AttemptRef, points: &[Point]) -> Result<()> {
    insert(attempt, points).build().execute(tx).await?;
    Ok(())
}

/// Adds those of the points that are not there; answers their names and steps.
pub(super) async fn insert_missing(
    tx: &mut Connection,
    attempt: AttemptRef,
    points: &[Point],
) -> Result<Vec<Row>> {
    let mut insert = insert(attempt, points);
    insert.push(" on conflict do nothing returning name, step");
    Ok(insert.build().fetch_all(tx).await?)
}
