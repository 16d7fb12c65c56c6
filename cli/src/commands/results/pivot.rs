//! Tables with a row for each value of one parameter and a column for each value of another.

use std::collections::BTreeMap;

use acai_proto::v1::{GetResultsResponse, ResultsRow, ResultsTable};
use anyhow::bail;

use super::incomplete::why;
use super::sheet::{Cell, Column, Figure, Line, Sheet, Unit};
use super::style::Style;
use super::{Question, all_parameters, ask};
use crate::args::Pivot;
use crate::client::Client;
use crate::failure::Failure;
use crate::format::value;
use crate::sorting::Key;

/// The value of a parameter, as text; empty where a row has none.
fn of(row: &ResultsRow, name: &str) -> String {
    row.group.iter().find(|parameter| parameter.name == name).map(value).unwrap_or_default()
}

/// Refuses cells in which runs differ in more than their seeds. The question's rows are the cells.
pub(super) async fn check(client: &mut Client, question: &Question<'_>) -> Result<(), Failure> {
    let group_by = all_parameters(client, question.sweeps).await?;
    let whole = ask(client, &Question { group_by, ..question.clone() }).await?;
    for table in &whole.tables {
        let mut cells: BTreeMap<Vec<String>, &ResultsRow> = BTreeMap::new();
        for row in &table.rows {
            let cell: Vec<String> = question.group_by.iter().map(|name| of(row, name)).collect();
            match cells.get(&cell) {
                None => drop(cells.insert(cell, row)),
                Some(first) => differ(table, question, first, row)?,
            }
        }
    }
    Ok(())
}

/// Says in what two rows differ that are in one cell.
fn differ(
    table: &ResultsTable,
    question: &Question<'_>,
    a: &ResultsRow,
    b: &ResultsRow,
) -> anyhow::Result<()> {
    let Some(name) = table.group_by.iter().find(|name| of(a, name) != of(b, name)) else { return Ok(()) };
    let cell: Vec<String> = question.group_by.iter().map(|name| format!("{name}={}", of(a, name))).collect();
    let shown = |value: String| if value.is_empty() { "none".to_owned() } else { value };
    bail!(
        "runs of one cell ({}, {}) differ in `{name}`: {} and {}\nhint: --group-by {name} makes a table for each of its values, and --where '{name} = {}' chooses one",
        table.dataset,
        cell.join(", "),
        shown(of(a, name)),
        shown(of(b, name)),
        shown(of(a, name))
    )
}

/// The tables of each dataset: one for each value of the other parameters that make a row. `units` are those of the metric
/// that sorts, by table.
pub(super) fn sheets(
    results: &GetResultsResponse,
    pivot: &Pivot,
    (style, units): (&Style, &[Unit]),
    waiting: &[String],
) -> Vec<Sheet> {
    let mut sheets = Vec::new();
    for (table, unit) in results.tables.iter().zip(units) {
        let others: Vec<&String> =
            table.group_by.iter().filter(|name| **name != pivot.rows && **name != pivot.columns).collect();
        let mut parts: Vec<(String, Vec<&ResultsRow>)> = Vec::new();
        for row in &table.rows {
            let part = others.iter().map(|name| format!("{name}={}", of(row, name)));
            let part = part.collect::<Vec<_>>().join(", ");
            match parts.iter_mut().find(|(known, _)| *known == part) {
                Some((_, rows)) => rows.push(row),
                None => parts.push((part, vec![row])),
            }
        }
        parts.sort_by(|(a, _), (b, _)| a.cmp(b));
        sheets.extend(
            parts.into_iter().map(|(part, rows)| sheet(table, part, &rows, pivot, (style, *unit), waiting)),
        );
    }
    sheets
}

fn sheet(
    table: &ResultsTable,
    part: String,
    rows: &[&ResultsRow],
    pivot: &Pivot,
    (style, unit): (&Style, Unit),
    waiting: &[String],
) -> Sheet {
    let goal = table.metrics.first().map(acai_proto::v1::Metric::goal).unwrap_or_default();
    let best = style.best(rows, 0, goal);
    let n = common_n(rows);
    let cell = |down: &String, across: &String| {
        let is_here =
            |row: &&&ResultsRow| of(row, &pivot.rows) == *down && of(row, &pivot.columns) == *across;
        let (row, is_best) = rows.iter().zip(&best).find(|(row, _)| is_here(row))?;
        let figure = style.figure(row.aggregates.first()?, row.completed, unit)?;
        let own = row.aggregates.first()?.n;
        let why = why(row, &table.dataset, waiting).unwrap_or_else(|| "the others have no value".to_owned());
        let note = (own < row.runs).then(|| format!("{own} of {} runs: {why}", row.runs));
        let n = Some(own).filter(|own| n != Some(*own));
        Some(Figure { is_best: *is_best, n, note, ..figure })
    };
    let across = values(rows, &pivot.columns);
    let mut columns = vec![Column::Parameter(pivot.rows.clone())];
    columns.extend(across.iter().map(|value| Column::At {
        parameter: pivot.columns.clone(),
        value: value.clone(),
        unit,
    }));
    let line = |down: &String| {
        let figures = across.iter().map(|across| cell(down, across).map_or(Cell::Empty, Cell::Figure));
        Line { is_best: false, cells: std::iter::once(Cell::Text(down.clone())).chain(figures).collect() }
    };
    Sheet {
        dataset: table.dataset.clone(),
        part,
        columns,
        lines: values(rows, &pivot.rows).iter().map(line).collect(),
        first: table.metrics.first().map(|metric| (metric.name.clone(), metric.goal())),
        n,
    }
}

/// How many runs the cells are of that lack none, if they agree.
fn common_n(rows: &[&ResultsRow]) -> Option<u32> {
    let of =
        |row: &&ResultsRow| row.aggregates.first().map(|aggregate| aggregate.n).filter(|n| *n == row.runs);
    let mut ns = rows.iter().filter_map(of);
    let first = ns.next()?;
    ns.all(|n| n == first).then_some(first)
}

/// The values of a parameter in rows, numbers in their order.
fn values(rows: &[&ResultsRow], name: &str) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for row in rows {
        let value = of(row, name);
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values.sort_by(|a, b| Key::from(a.clone()).order(&Key::from(b.clone())));
    values
}
