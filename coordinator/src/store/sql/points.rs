//! Points of metrics, read back.

use acai_sweep::curve::CurvePoint;
use sqlx::Row as _;

use super::columns::{seed, state, unsigned};
use super::dialect::{Connection, Row, is_one_of};
use crate::store::{CurveRun, PointOfRun, Result, RunId};

/// Runs of the sweep, in the order of their numbers from `from` on, at most `most`, with what is known of a metric of each:
/// the runs of these numbers, also such as were set aside, or if there are none all that are in the plan.
pub(super) async fn runs(
    reader: &mut Connection,
    sweep: &str,
    numbers: &[u32],
    metric: &str,
    (from, most): (u32, u32),
) -> Result<Vec<CurveRun>> {
    let rows = sqlx::query(concat!(
        "select r.id, r.number, r.seed, r.state, m.count, m.last_step, m.last
         from runs r
         left join summaries m on m.run_id = r.id and m.name = $2
         where r.sweep_id = (select id from sweeps where name = $1) and r.number >= $4
           and ($3 = '[]' and r.in_plan = true or r.number ",
        is_one_of!("$3"),
        ") order by r.number limit $5"
    ))
    .bind(sweep)
    .bind(metric)
    .bind(serde_json::json!(numbers).to_string())
    .bind(i64::from(from))
    .bind(i64::from(most))
    .fetch_all(reader)
    .await?;
    let run = |row: &Row| {
        let count: Option<i64> = row.try_get("count")?;
        let last = match row.try_get::<Option<f64>, _>("last")? {
            Some(value) => Some(CurvePoint { step: unsigned(row, "last_step")?, value }),
            None => None,
        };
        Ok(CurveRun {
            id: row.try_get("id")?,
            number: unsigned(row, "number")?,
            seed: seed(row)?,
            state: state(row)?,
            points: count.unwrap_or_default().cast_unsigned(),
            last,
        })
    };
    rows.iter().map(run).collect()
}

/// Points of a metric: of each of these runs from a step on, run by run in this order and by their steps, at most `most`.
pub(super) async fn list(
    reader: &mut Connection,
    runs: &[(RunId, u64)],
    metric: &str,
    most: usize,
) -> Result<Vec<PointOfRun>> {
    let mut points = Vec::new();
    for &(run, from_step) in runs {
        if points.len() >= most {
            break;
        }
        let rows = sqlx::query(
            "select step, value from metrics where run_id = $1 and name = $2 and step >= $3 order by step limit $4",
        )
        .bind(run)
        .bind(metric)
        .bind(i64::try_from(from_step).unwrap_or(i64::MAX))
        .bind(i64::try_from(most - points.len()).unwrap_or(i64::MAX))
        .fetch_all(&mut *reader)
        .await?;
        for row in &rows {
            points.push(PointOfRun { run, step: unsigned(row, "step")?, value: row.try_get("value")? });
        }
    }
    Ok(points)
}

/// Names of the metrics that runs of the sweep's plan have reported.
pub(super) async fn metrics(reader: &mut Connection, sweep: &str) -> Result<Vec<String>> {
    let names = sqlx::query_scalar(
        "select distinct m.name from summaries m join runs r on r.id = m.run_id
         where r.sweep_id = (select id from sweeps where name = $1) and r.in_plan = true order by m.name",
    );
    Ok(names.bind(sweep).fetch_all(reader).await?)
}
