//! Tables of results as CSV.

use std::collections::BTreeSet;

use acai_proto::v1::{Aggregate, GetResultsResponse, Parameter};

use crate::format::{csv, value};

/// All tables as one: a column for each parameter, three for each metric, and one for each parameter that is the same in all
/// runs.
pub(super) fn flat(results: &GetResultsResponse, fixed: &[Parameter]) -> anyhow::Result<String> {
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
        headings.extend(["mean", "std", "n"].map(|column| format!("{metric}_{column}")));
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
                let aggregate = place.and_then(|place| row.aggregates.get(place)).filter(|a| a.n > 0);
                cells.extend(match aggregate {
                    Some(a) => [
                        a.mean.to_string(),
                        std(a).map_or(String::new(), |std| std.to_string()),
                        a.n.to_string(),
                    ],
                    None => [String::new(), String::new(), "0".to_owned()],
                });
            }
            cells.extend(fixed.iter().map(|parameter| value(parameter)));
            rows.push(cells);
        }
    }
    csv(&headings, rows)
}

/// One value does not deviate.
pub(super) fn std(aggregate: &Aggregate) -> Option<f64> {
    (aggregate.n > 1).then_some(aggregate.std)
}
