//! Tables of results as CSV.

use std::collections::BTreeSet;

use acai_proto::v1::{GetResultsResponse, Parameter};

use super::style::value as value_of;
use crate::args::Aggregation;
use crate::format::{csv, value};

/// Aggregates of each metric where nobody asks for others.
const USUAL: [Aggregation; 3] = [Aggregation::Mean, Aggregation::Std, Aggregation::N];

/// All tables as one: a column for each parameter, those of each metric, and one for each parameter that is the same in all
/// runs.
pub(super) fn flat(
    results: &GetResultsResponse,
    fixed: &[Parameter],
    aggregations: &[Aggregation],
) -> anyhow::Result<String> {
    let aggregations = if aggregations.is_empty() { &USUAL } else { aggregations };
    let mut parameters: Vec<&String> = Vec::new();
    let mut metrics = BTreeSet::new();
    for table in &results.tables {
        parameters
            .extend(table.group_by.iter().filter(|name| !parameters.contains(name)).collect::<Vec<_>>());
        metrics.extend(table.metrics.iter().map(|metric| metric.name.as_str()));
    }
    let mut headings = vec!["dataset".to_owned()];
    headings.extend(parameters.iter().map(|&name| name.clone()));
    headings.extend(["runs", "completed", "best"].map(str::to_owned));
    for metric in &metrics {
        headings.extend(aggregations.iter().map(|what| format!("{metric}_{}", what.word())));
    }
    let in_a_column = |name: &String| name == "dataset" || parameters.contains(&name);
    let fixed: Vec<&Parameter> = fixed.iter().filter(|parameter| !in_a_column(&parameter.name)).collect();
    headings.extend(fixed.iter().map(|parameter| parameter.name.clone()));
    let mut rows = Vec::new();
    for table in &results.tables {
        for row in &table.rows {
            let mut cells = vec![table.dataset.clone()];
            let find = |name: &&String| row.group.iter().find(|p| p.name == **name).map(value);
            cells.extend(parameters.iter().map(|name| find(name).unwrap_or_default()));
            cells.extend([row.runs.to_string(), row.completed.to_string(), row.best.to_string()]);
            for metric in &metrics {
                let place = table.metrics.iter().position(|known| known.name == *metric);
                let aggregate =
                    place.and_then(|place| row.aggregates.get(place).copied()).unwrap_or_default();
                let cell =
                    |&what| value_of(&aggregate, what).map_or(String::new(), |value| value.to_string());
                cells.extend(aggregations.iter().map(cell));
            }
            cells.extend(fixed.iter().map(|parameter| value(parameter)));
            rows.push(cells);
        }
    }
    csv(&headings, rows)
}
