//! Rows of tables in the order of a column.

use acai_proto::convert::scalar;
use acai_proto::v1::{GetResultsResponse, ResultsRow, ResultsTable};
use acai_sweep::metric::whole_name;
use acai_sweep::scalar::Scalar;

use crate::sorting::{Key, Sorting};

/// How many runs have a value.
const N: &str = "n";

/// Sorts the rows of each table by a parameter that they differ in, by a metric that they show, or by `n`. A table that does
/// not have the column stays as it is, where another one has it.
pub(super) fn sort(results: &mut GetResultsResponse, mut sorting: Sorting) -> anyhow::Result<()> {
    if results.tables.is_empty() {
        return Ok(());
    }
    let mut known: Vec<String> = Vec::new();
    for table in &results.tables {
        let metrics = table.metrics.iter().map(|metric| &metric.name);
        for name in table.group_by.iter().chain(metrics).chain([&N.to_owned()]) {
            if !known.contains(name) {
                known.push(name.clone());
            }
        }
    }
    if !known.contains(&sorting.column) {
        sorting.column = whole_name(&sorting.column);
    }
    let short = known.iter().filter_map(|name| name.split_once('/')).map(|(_, score)| score);
    sorting.check(known.iter().map(String::as_str).chain(short))?;
    for table in &mut results.tables {
        let place = table.metrics.iter().position(|metric| metric.name == sorting.column);
        if place.is_some() || sorting.column == N || table.group_by.contains(&sorting.column) {
            sort_table(table, &sorting, place);
        }
    }
    Ok(())
}

fn sort_table(table: &mut ResultsTable, sorting: &Sorting, place: Option<usize>) {
    let key = |row: &ResultsRow| match place {
        Some(place) => {
            row.aggregates.get(place).filter(|aggregate| aggregate.n > 0).map(|a| Key::Number(a.mean))
        }
        None if sorting.column == N => Some(Key::Number(row.completed.into())),
        None => {
            let parameter = row.group.iter().find(|parameter| parameter.name == sorting.column)?;
            Some(match scalar(parameter).ok()? {
                Scalar::Int(value) => Key::Number(value as f64),
                Scalar::Float(value) => Key::Number(value),
                Scalar::Word(word) => Key::Word(word),
            })
        }
    };
    sorting.sort(&mut table.rows, key);
}
