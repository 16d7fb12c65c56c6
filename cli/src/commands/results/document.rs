//! Tables of results as JSON.

use acai_proto::v1::{GetResultsResponse, ResultsRow, ResultsTable};
use serde_json::{Value, json};

use super::flat::std;
use crate::format::parameters_json;

pub(super) fn json(results: &GetResultsResponse) -> Value {
    let row = |table: &ResultsTable, row: &ResultsRow| {
        let metrics = table.metrics.iter().zip(&row.aggregates).map(|(metric, a)| {
            let value = match a.n {
                0 => json!({"n": 0}),
                n => json!({"mean": a.mean, "std": std(a), "min": a.min, "max": a.max, "n": n}),
            };
            (metric.name.clone(), value)
        });
        json!({
            "group": parameters_json(&row.group),
            "runs": row.runs,
            "completed": row.completed,
            "best": row.best,
            "metrics": metrics.collect::<serde_json::Map<_, _>>(),
        })
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
