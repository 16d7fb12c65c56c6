//! Tables of results for people.

use acai_proto::v1::{Aggregate, GetResultsResponse, Goal, ResultsRow, ResultsTable};
use acai_sweep::statistics::Spread;

use super::figure::figure;
use crate::args::At;
use crate::format::value;
use crate::grid::Grid;
use crate::output::Output;

pub(super) fn text(results: &GetResultsResponse, (at, spread): (At, Spread), output: Output) -> String {
    let mut blocks: Vec<String> =
        results.tables.iter().map(|table| block(table, (at, spread), output)).collect();
    if results.completed < results.runs {
        blocks.push(format!("{} of {} runs completed", results.completed, results.runs));
    }
    blocks.join("\n\n")
}

/// One dataset: a line that says what is seen, then the rows.
fn block(table: &ResultsTable, (at, spread): (At, Spread), output: Output) -> String {
    let mut title = table.dataset.clone();
    title += &values(table, at);
    if spread != Spread::Population {
        title += &format!(", mean ± {}", spread.words());
    }
    if let Some(metric) = table.metrics.first().filter(|_| table.rows.iter().any(|row| row.best)) {
        let end = if metric.goal() == Goal::Minimize { "smallest" } else { "largest" };
        title += &format!(", * marks the {end} {}", metric.name);
    }
    let mut headings = vec![""];
    headings.extend(table.group_by.iter().map(String::as_str));
    headings.push("n");
    headings.extend(table.metrics.iter().map(|metric| metric.name.as_str()));
    let rows = table.rows.iter().map(|row| cells(table, row, spread)).collect();
    // What a row is about stays, and the metric that sorts.
    let mut grid = Grid::new(&headings, rows).keeping(3 + table.group_by.len()).fit(output.width());
    if output.is_styled() {
        for (line, row) in grid.lines.iter_mut().skip(grid.heading).zip(&table.rows) {
            if row.best {
                *line = format!("\u{1b}[1m{line}\u{1b}[0m");
            }
        }
    }
    format!("{title}\n{grid}")
}

/// Which values the table is about, where these are not each run's last.
fn values(table: &ResultsTable, at: At) -> String {
    let sorting = table.metrics.first();
    match (at, sorting) {
        (At::Last, _) => String::new(),
        (At::Best, Some(metric)) => {
            let end = if metric.goal() == Goal::Maximize { "largest" } else { "smallest" };
            format!(", each run at the step where its {} is {end} (chosen on test data)", metric.name)
        }
        (At::Best, None) => ", each run at its best step".to_owned(),
        (At::Kimg(kimg), _) => format!(", each run after {kimg} kimg, or at its last step before"),
        (At::Step(step), _) => format!(", each run at step {step}, or at its last one before"),
        (At::Min, _) => {
            ", the smallest value of each metric of a run, which may be of different steps".to_owned()
        }
        (At::Max, _) => {
            ", the largest value of each metric of a run, which may be of different steps".to_owned()
        }
        (At::Mean, _) => ", the mean of each metric over the steps of a run".to_owned(),
    }
}

fn cells(table: &ResultsTable, row: &ResultsRow, spread: Spread) -> Vec<String> {
    let mut cells = vec![if row.best { "*" } else { "" }.to_owned()];
    cells.extend(group(table, row).map(|value| value.unwrap_or_else(|| "-".to_owned())));
    cells.push(runs(row));
    let cell = |aggregate: &Aggregate| match figure(aggregate, row.completed, spread) {
        None => "-".to_owned(),
        Some(figure) => match figure.n {
            None => figure.value,
            Some(n) => format!("{} (n={n})", figure.value),
        },
    };
    cells.extend(row.aggregates.iter().map(cell));
    cells
}

/// How many of the row's runs are completed.
pub(super) fn runs(row: &ResultsRow) -> String {
    if row.completed == row.runs { row.runs.to_string() } else { format!("{}/{}", row.completed, row.runs) }
}

/// The row's values of the table's grouping parameters; `None` where its model does not use one.
pub(super) fn group<'t>(
    table: &'t ResultsTable,
    row: &'t ResultsRow,
) -> impl Iterator<Item = Option<String>> + 't {
    let find = |name: &String| row.group.iter().find(|parameter| parameter.name == *name).map(value);
    table.group_by.iter().map(find)
}
