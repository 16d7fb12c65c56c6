//! Tables of results as JSON.

use acai_proto::tables::aggregate;
use acai_proto::v1::{GetResultsResponse, ResultsRow, ResultsTable};
use acai_tables::Aggregation;
use serde_json::{Value, json};

use crate::format::{parameters_json, state};

/// Aggregates where nobody asks for others.
const USUAL: [Aggregation; 5] =
    [Aggregation::Mean, Aggregation::Std, Aggregation::Min, Aggregation::Max, Aggregation::N];

pub(super) fn json(results: &GetResultsResponse, aggregations: &[Aggregation]) -> Value {
    let aggregations = if aggregations.is_empty() { &USUAL } else { aggregations };
    let row = |table: &ResultsTable, row: &ResultsRow| {
        let metrics = table.metrics.iter().zip(&row.aggregates).map(|(metric, a)| {
            let entry = |&what: &Aggregation| match what {
                Aggregation::N => (what.word().to_owned(), json!(a.n)),
                what => (what.word().to_owned(), json!(what.of(aggregate(a).as_ref()))),
            };
            let value = match a.n {
                0 => json!({"n": 0}),
                _ => Value::Object(aggregations.iter().map(entry).collect()),
            };
            (metric.name.clone(), value)
        });
        let mut document = json!({
            "group": parameters_json(&row.group),
            "runs": row.runs,
            "completed": row.completed,
            "best": row.best,
            "metrics": metrics.collect::<serde_json::Map<_, _>>(),
        });
        if row.completed < row.runs {
            let states = row.states.iter().map(|count| (state(count.state), json!(count.runs)));
            document["states"] = Value::Object(states.collect());
        }
        document
    };
    let table = |table: &ResultsTable| {
        json!({
            "dataset": table.dataset,
            "group_by": table.group_by,
            "sorted_by": table.metrics.first().map(|metric| &metric.name),
            "rows": table.rows.iter().map(|r| row(table, r)).collect::<Vec<_>>(),
        })
    };
    json!({
        "version": 1,
        "sweep": results.sweep,
        "runs": results.runs,
        "completed": results.completed,
        "tables": results.tables.iter().map(table).collect::<Vec<_>>(),
    })
}
