//! Results as JSON lines: a run each, flat, for pandas and DuckDB.

use acai_proto::v1::GetResultsResponse;
use serde_json::{Map, Value, json};

use crate::format::parameters_json;

pub(super) fn lines(results: &GetResultsResponse) -> String {
    let mut lines = Vec::new();
    for table in &results.tables {
        for row in &table.rows {
            let Value::Object(mut line) = parameters_json(&row.group) else { continue };
            let metrics = table.metrics.iter().zip(&row.aggregates).filter(|(_, aggregate)| aggregate.n > 0);
            let values: Map<String, Value> =
                metrics.map(|(metric, aggregate)| (metric.name.clone(), json!(aggregate.mean))).collect();
            line.insert("dataset".to_owned(), json!(table.dataset));
            line.insert("completed".to_owned(), json!(row.completed == row.runs));
            line.extend(values);
            lines.push(Value::Object(line).to_string());
        }
    }
    lines.join("\n")
}
