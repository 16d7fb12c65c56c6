//! Tables of results as CSV.

use std::collections::BTreeSet;

use acai_sweep::results::Table;
use acai_sweep::scalar::Scalar;

use crate::figure::{number, value};
use crate::style::Aggregation;

/// Aggregates of each metric where nobody asks for others.
const USUAL: [Aggregation; 3] = [Aggregation::Mean, Aggregation::Std, Aggregation::N];

/// All tables as one: a column for each parameter, those of each metric, and one for each parameter that is the same in all
/// runs, which `fixed` are.
///
/// # Errors
/// The writer's, of which none is known for rows of equal length.
pub fn csv(
    tables: &[Table],
    fixed: &[(String, Scalar)],
    aggregations: &[Aggregation],
) -> Result<String, csv::Error> {
    let aggregations = if aggregations.is_empty() { &USUAL } else { aggregations };
    let mut parameters: Vec<&String> = Vec::new();
    let mut metrics = BTreeSet::new();
    for table in tables {
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
    let fixed: Vec<_> = fixed.iter().filter(|(name, _)| !in_a_column(name)).collect();
    headings.extend(fixed.iter().map(|(name, _)| name.clone()));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&headings)?;
    for table in tables {
        for row in &table.rows {
            let mut cells = vec![table.dataset.clone()];
            let find = |name: &&String| row.group.iter().find(|(known, _)| known == *name);
            let of_parameter = |name| find(name).map(|(_, it)| value(it)).unwrap_or_default();
            cells.extend(parameters.iter().map(of_parameter));
            cells.extend([row.runs.to_string(), row.completed.to_string(), row.best.to_string()]);
            for metric in &metrics {
                let place = table.metrics.iter().position(|known| known.name == *metric);
                let aggregate = place.and_then(|place| row.aggregates.get(place)?.as_ref());
                let cell = |what: &Aggregation| what.of(aggregate).map_or(String::new(), number);
                cells.extend(aggregations.iter().map(cell));
            }
            cells.extend(fixed.iter().map(|(_, it)| value(it)));
            writer.write_record(&cells)?;
        }
    }
    let written = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    String::from_utf8(written).map_err(|error| std::io::Error::other(error).into())
}

/// The parameters that are the same in all rows of these tables.
#[must_use]
pub fn same_everywhere(tables: &[Table]) -> Vec<(String, Scalar)> {
    let mut groups = tables.iter().flat_map(|table| &table.rows).map(|row| &row.group);
    let mut same = groups.next().cloned().unwrap_or_default();
    for group in groups {
        same.retain(|parameter| group.contains(parameter));
    }
    same
}
