//! A table as it is shown: its headings and cells, before a format draws them.

use acai_proto::v1::{Goal, ResultsRow, ResultsTable};

use super::incomplete::why;
use super::style::Style;
use crate::args::Best;
use crate::format::value;

/// What a format draws.
pub(super) struct Sheet {
    /// Empty where it is of several.
    pub(super) dataset: String,
    /// What tells it from other sheets of the dataset, such as `model=acai`; may be empty.
    pub(super) part: String,
    pub(super) columns: Vec<Column>,
    pub(super) lines: Vec<Line>,
    /// The metric that sorts, or the one that is pivoted; none where it is of several.
    pub(super) first: Option<(String, Goal)>,
    /// Among which figures the best one is marked.
    pub(super) compared: Compared,
    /// How many runs figures are of that do not say it, where there is no column of it.
    pub(super) n: Option<u32>,
}

/// Which figures of a table compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    All,
    EachRow,
    EachColumn,
    None,
}

/// A heading.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Column {
    /// Its values are in the cells.
    Parameter(String),
    /// How many runs are completed, of how many.
    Count,
    /// Figures of a metric, or one aggregate of it.
    Metric { name: String, goal: Goal, of: Option<&'static str>, unit: Unit },
    /// Figures at a value of a parameter, which is named where the value does not say what it is.
    At { parameter: Option<String>, value: String, unit: Unit },
    /// Why not every run has a value.
    Incomplete,
}

/// A row.
pub(super) struct Line {
    /// Best by the metric that sorts.
    pub(super) is_best: bool,
    pub(super) cells: Vec<Cell>,
}

pub(super) enum Cell {
    Empty,
    Text(String),
    /// What the figures of a row are of.
    Metric {
        name: String,
        goal: Goal,
        unit: Unit,
    },
    Figure(Figure),
}

/// A mean of runs.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// The mean as a number, in the unit of the table.
    pub(super) value: f64,
    pub(super) mean: String,
    /// What stands after ±, where that says something.
    pub(super) spread: Option<String>,
    /// How many runs have a value, where not every completed run has one: that is never hidden.
    pub(super) n: Option<u32>,
    pub(super) is_best: bool,
    /// Of how many runs the figure is, and why not of all, such as `2 of 3 runs: 1 diverged`.
    pub(super) note: Option<String>,
}

/// What figures are divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    pub(super) size: f64,
    /// By a person.
    pub(super) is_asked: bool,
}

impl Unit {
    pub(super) const ONE: Unit = Unit { size: 1.0, is_asked: false };
}

impl Figure {
    /// `0.24 ± 0.01`, and of how many runs where that is not clear.
    pub(super) fn text(&self) -> String {
        let mut text = self.mean.clone();
        if let Some(spread) = &self.spread {
            text += &format!(" ± {spread}");
        }
        if let Some(n) = self.n {
            text += &format!(" (n={n})");
        }
        text
    }
}

impl Sheet {
    /// A row a line. `units` are those of the table's metrics; `waiting` are datasets that no worker has.
    pub(super) fn of_table(table: &ResultsTable, style: &Style, units: &[Unit], waiting: &[String]) -> Sheet {
        let rows: Vec<&ResultsRow> = table.rows.iter().collect();
        let is_incomplete = rows.iter().any(|row| row.completed < row.runs);
        let best: Vec<Vec<bool>> = table
            .metrics
            .iter()
            .enumerate()
            .map(|(place, metric)| style.best(&rows, place, metric.goal()))
            .collect();
        let mut columns: Vec<Column> = table.group_by.iter().cloned().map(Column::Parameter).collect();
        columns.push(Column::Count);
        for (metric, &unit) in table.metrics.iter().zip(units) {
            let column = |of| Column::Metric { name: metric.name.clone(), goal: metric.goal(), of, unit };
            match style.aggregations.as_slice() {
                [] => columns.push(column(None)),
                aggregations => columns.extend(aggregations.iter().map(|what| column(Some(what.word())))),
            }
        }
        if is_incomplete {
            columns.push(Column::Incomplete);
        }
        let line = |(index, row): (usize, &&ResultsRow)| {
            let is_best = |place: usize| best.get(place).and_then(|rows| rows.get(index)) == Some(&true);
            let why = why(row, &table.dataset, waiting);
            let mut cells: Vec<Cell> =
                group(table, row).map(|value| value.map_or(Cell::Empty, Cell::Text)).collect();
            cells.push(Cell::Text(runs(row)));
            for (place, (aggregate, &unit)) in row.aggregates.iter().zip(units).enumerate() {
                if style.aggregations.is_empty() {
                    let figure = style.figure(aggregate, row.completed, unit).map(|figure| Figure {
                        is_best: is_best(place),
                        note: why.as_ref().map(|why| format!("{} of {} runs: {why}", aggregate.n, row.runs)),
                        ..figure
                    });
                    cells.push(figure.map_or(Cell::Empty, Cell::Figure));
                }
                let single = |what| style.single(aggregate, what, unit).map_or(Cell::Empty, Cell::Text);
                cells.extend(style.aggregations.iter().map(|&what| single(what)));
            }
            if is_incomplete {
                cells.push(why.map_or(Cell::Text(String::new()), Cell::Text));
            }
            Line { is_best: is_best(0), cells }
        };
        Sheet {
            dataset: table.dataset.clone(),
            part: String::new(),
            columns,
            lines: rows.iter().enumerate().map(line).collect(),
            first: table.metrics.first().map(|metric| (metric.name.clone(), metric.goal())),
            compared: Compared::All,
            n: None,
        }
    }

    /// What it is about: the dataset, and what tells it from other tables of that.
    pub(super) fn about(&self) -> impl Iterator<Item = &str> {
        [self.dataset.as_str(), &self.part].into_iter().filter(|words| !words.is_empty())
    }

    /// `the smallest eval/x`, where a line or figure is marked.
    pub(super) fn marked(&self, best: Best) -> Option<String> {
        let figures = self.lines.iter().flat_map(|line| &line.cells);
        let is_marked = |cell: &Cell| matches!(cell, Cell::Figure(figure) if figure.is_best);
        if !self.lines.iter().any(|line| line.is_best) && !figures.into_iter().any(is_marked) {
            return None;
        }
        let what = match &self.first {
            Some((name, Goal::Minimize)) => format!("the smallest {name}"),
            Some((name, _)) => format!("the largest {name}"),
            None => "the best".to_owned(),
        };
        let among = match self.compared {
            Compared::EachRow => " of each row",
            Compared::EachColumn => " of each column",
            Compared::All | Compared::None => "",
        };
        let ties = if best == Best::Ties { ", and what is as good within its ±" } else { "" };
        Some(format!("{what}{among}{ties}"))
    }
}

/// How many of the row's runs are completed.
fn runs(row: &ResultsRow) -> String {
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
