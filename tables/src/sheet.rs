//! A table as it is shown: its headings and cells, before a format draws them.

use acai_sweep::metric::Goal;
use acai_sweep::results::{Aggregate, Row, Table};

use crate::figure::value;
use crate::missing::why;
use crate::style::{Best, Style};

/// What a format draws.
pub struct Sheet {
    /// Empty where it is of several.
    pub dataset: String,
    /// What tells it from other sheets of the dataset, such as `model=acai`; may be empty.
    pub part: String,
    /// The headings.
    pub columns: Vec<Column>,
    /// The rows.
    pub lines: Vec<Line>,
    /// The metric that sorts, or the one that is pivoted; none where it is of several.
    pub first: Option<(String, Option<Goal>)>,
    /// Among which figures the best one is marked.
    pub compared: Compared,
    /// How many runs figures are of that do not say it, where there is no column of it.
    pub n: Option<usize>,
}

/// Which figures of a table compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// All of them.
    All,
    /// Those of a row.
    EachRow,
    /// Those of a column.
    EachColumn,
    /// No two of them.
    None,
}

/// A heading.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Its values are in the cells.
    Parameter(String),
    /// How many runs are completed, of how many.
    Count,
    /// Figures of a metric, or one aggregate of it.
    Metric {
        /// The metric.
        name: String,
        /// Which way is better.
        goal: Option<Goal>,
        /// The aggregate, if it is one.
        of: Option<&'static str>,
        /// What the figures are divided by.
        unit: Unit,
    },
    /// Figures at a value of a parameter, which is named where the value does not say what it is.
    At {
        /// Its name, if it is needed.
        parameter: Option<String>,
        /// Its value.
        value: String,
        /// What the figures are divided by.
        unit: Unit,
    },
    /// Why not every run has a value.
    Incomplete,
}

/// A row.
pub struct Line {
    /// Best by the metric that sorts.
    pub is_best: bool,
    /// Below the headings.
    pub cells: Vec<Cell>,
}

/// What stands below a heading.
pub enum Cell {
    /// Nothing is known.
    Empty,
    /// Words, or a number that is no mean.
    Text(String),
    /// What the figures of a row are of.
    Metric {
        /// The metric.
        name: String,
        /// Which way is better.
        goal: Option<Goal>,
        /// What its figures are divided by.
        unit: Unit,
    },
    /// A mean.
    Figure(Figure),
}

/// A mean of runs.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The mean as a number, in the unit of the table.
    pub value: f64,
    /// As it is shown.
    pub mean: String,
    /// What stands after ±, where that says something.
    pub spread: Option<String>,
    /// How many runs have a value, where not every completed run has one: that is never hidden.
    pub n: Option<usize>,
    /// Whether it is marked.
    pub is_best: bool,
    /// Of how many runs the figure is, and why not of all, such as `2 of 3 runs: 1 diverged`.
    pub note: Option<String>,
}

/// What figures are divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// The divisor.
    pub size: f64,
    /// Whether a person has asked for it.
    pub is_asked: bool,
}

impl Unit {
    /// Figures as they are.
    pub const ONE: Unit = Unit { size: 1.0, is_asked: false };
}

impl Figure {
    /// `0.24 ± 0.01`, and of how many runs where that is not clear.
    #[must_use]
    pub fn text(&self) -> String {
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
    /// A row a line. `unit` is that of a metric's aggregates; `waiting` are datasets that no worker has.
    #[must_use]
    pub fn of_table(
        table: &Table,
        style: &Style,
        unit: impl Fn(&[&Aggregate]) -> Unit,
        waiting: &[String],
    ) -> Sheet {
        let rows: Vec<&Row> = table.rows.iter().collect();
        let is_incomplete = rows.iter().any(|row| row.completed < row.runs);
        let of_metric = |place: usize| {
            let aggregates = rows.iter().filter_map(|row| row.aggregates.get(place)?.as_ref());
            unit(&aggregates.collect::<Vec<_>>())
        };
        let units: Vec<Unit> = (0..table.metrics.len()).map(of_metric).collect();
        let best: Vec<Vec<bool>> =
            table.metrics.iter().enumerate().map(|(place, it)| style.best(&rows, place, it.goal)).collect();
        let line = |(index, row): (usize, &&Row)| {
            let is_best = |place: usize| best.get(place).and_then(|rows| rows.get(index)) == Some(&true);
            let why = why(row, &table.dataset, waiting);
            let mut cells: Vec<Cell> = group(table, row);
            cells.push(Cell::Text(runs(row)));
            for (place, (aggregate, &unit)) in row.aggregates.iter().zip(&units).enumerate() {
                if style.aggregations.is_empty() {
                    let note = |n| why.as_ref().map(|why| format!("{n} of {} runs: {why}", row.runs));
                    let figure = aggregate.as_ref().map(|aggregate| Figure {
                        is_best: is_best(place),
                        note: note(aggregate.n),
                        ..style.figure(aggregate, row.completed, unit)
                    });
                    cells.push(figure.map_or(Cell::Empty, Cell::Figure));
                }
                let single =
                    |what| style.single(aggregate.as_ref(), what, unit).map_or(Cell::Empty, Cell::Text);
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
            columns: columns(table, style, &units, is_incomplete),
            lines: rows.iter().enumerate().map(line).collect(),
            first: table.metrics.first().map(|metric| (metric.name.clone(), metric.goal)),
            compared: Compared::All,
            n: None,
        }
    }

    /// What it is about: the dataset, and what tells it from other tables of that.
    pub fn about(&self) -> impl Iterator<Item = &str> {
        [self.dataset.as_str(), &self.part].into_iter().filter(|words| !words.is_empty())
    }

    /// `the smallest eval/x`, where a line or figure is marked.
    #[must_use]
    pub fn marked(&self, best: Best) -> Option<String> {
        let figures = self.lines.iter().flat_map(|line| &line.cells);
        let is_marked = |cell: &Cell| matches!(cell, Cell::Figure(figure) if figure.is_best);
        if !self.lines.iter().any(|line| line.is_best) && !figures.into_iter().any(is_marked) {
            return None;
        }
        let what = match &self.first {
            Some((name, Some(Goal::Minimize))) => format!("the smallest {name}"),
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

fn columns(table: &Table, style: &Style, units: &[Unit], is_incomplete: bool) -> Vec<Column> {
    let mut columns: Vec<Column> = table.group_by.iter().cloned().map(Column::Parameter).collect();
    columns.push(Column::Count);
    for (metric, &unit) in table.metrics.iter().zip(units) {
        let column = |of| Column::Metric { name: metric.name.clone(), goal: metric.goal, of, unit };
        match style.aggregations.as_slice() {
            [] => columns.push(column(None)),
            aggregations => columns.extend(aggregations.iter().map(|what| column(Some(what.word())))),
        }
    }
    if is_incomplete {
        columns.push(Column::Incomplete);
    }
    columns
}

/// How many of the row's runs are completed.
fn runs(row: &Row) -> String {
    if row.completed == row.runs { row.runs.to_string() } else { format!("{}/{}", row.completed, row.runs) }
}

/// The row's values of the table's grouping parameters; empty where its model does not use one.
fn group(table: &Table, row: &Row) -> Vec<Cell> {
    let find = |name: &String| row.group.iter().find(|(known, _)| known == name);
    let cell = |name| find(name).map_or(Cell::Empty, |(_, it)| Cell::Text(value(it)));
    table.group_by.iter().map(cell).collect()
}
