//! Points are added from arrays: a value bound for each would cost the server more than the rows.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use super::dialect::{Connection, Row};
use crate::store::{AttemptRef, Point, Result};

macro_rules! insert {
    ($rest:literal) => {
        concat!(
            "insert into metrics (run_id, name, step, value, attempt)
             select $1, point.name, point.step, point.value, $2
             from unnest($3::text[], $4::bigint[], $5::double precision[]) as point (name, step, value)",
            $rest
        )
    };
}

fn bound<'q>(
    statement: &'static str,
    attempt: AttemptRef,
    points: &'q [Point],
) -> Query<'q, Postgres, PgArguments> {
    let names: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
    let steps: Vec<i64> = points.iter().map(|point| point.step.cast_signed()).collect();
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let insert = sqlx::query(statement).bind(attempt.run).bind(i64::from(attempt.number));
    insert.bind(names).bind(steps).bind(values)
}

/// Adds points that are not there.
pub(super) async fn insert_all(tx: &mut Connection, attempt: AttemptRef, points: &[Point]) -> Result<()> {
    bound(insert!(""), attempt, points).execute(tx).await?;
    Ok(())
}

/// Adds those of the points that are not there; answers their names and steps.
pub(super) async fn insert_missing(
    tx: &mut Connection,
    attempt: AttemptRef,
    points: &[Point],
) -> Result<Vec<Row>> {
    let insert = bound(insert!(" on conflict do nothing returning name, step"), attempt, points);
    Ok(insert.fetch_all(tx).await?)
}
