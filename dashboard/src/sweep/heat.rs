//! A metric over two parameters, as a table whose cells have colours and lead to their runs.

use std::fmt::Write as _;

use acai_sweep::metric::Goal;
use acai_sweep::results::{Member, Row, Table};
use acai_sweep::statistics::Spread;
use maud::{Markup, html};

use super::grid::Grid;
use crate::asked::{Asked, Question, link, of_sweep};
use crate::{colours, numbers, words};

/// Cells up to which each shows its runs as dots.
const DOTTED: usize = 400;

/// What cells are drawn by.
struct Map<'a> {
    table: &'a Table,
    names: [&'a str; 2],
    spread: Spread,
    /// The smallest and the largest mean.
    range: (f64, f64),
    /// Of all single runs.
    runs_range: (f64, f64),
    cell_link: String,
    has_dots: bool,
    waiting: &'a [String],
}

/// The heat map of a dataset; nothing if no row has both parameters.
pub(super) fn map(
    (sweep, table): (&str, &Table),
    [x, y]: [&str; 2],
    asked: &Asked,
    spread: Spread,
    waiting: &[String],
) -> Markup {
    let grid = Grid::of(table, [x, y]);
    let (columns, rows) = (grid.columns.names(), grid.rows.names());
    let means = || table.rows.iter().filter_map(|row| Some(row.aggregates.first().copied().flatten()?.mean));
    let singles = || table.rows.iter().flat_map(|row| &row.members).filter_map(single);
    // Which runs count in a cell is what the page says, in the cell's own dataset.
    let question = asked.question.only(&["metric", "where", "fix", "at", "spread"]);
    let map = Map {
        table,
        names: [x, y],
        spread,
        range: range(means()),
        runs_range: range(singles()),
        cell_link: link(&format!("{}/cell", of_sweep(sweep)), &question.with("dataset", &table.dataset)),
        has_dots: columns.len() * rows.len() <= DOTTED,
        waiting,
    };
    let mut down: Vec<usize> = (0..rows.len()).collect();
    if grid.rows.are_numbers() {
        // As in a figure: from the bottom to the top.
        down.reverse();
    }
    html! {
        div.scroll {
            table.heat {
                caption.hidden { (caption(&map)) }
                thead {
                    tr {
                        th.corner scope="col" { (words::parameter(y)) " ↓ " (words::parameter(x)) " →" }
                        @for name in columns { th scope="col" { (name) } }
                    }
                }
                tbody {
                    @for row in down {
                        tr {
                            th scope="row" { (rows[row]) }
                            @for column in 0..columns.len() { (map.cell(grid.at(column, row))) }
                        }
                    }
                }
            }
        }
        (map.legend())
    }
}

fn caption(map: &Map<'_>) -> String {
    let metric = map.table.metrics.first().map_or("runs", |metric| metric.name.as_str());
    let [x, y] = map.names.map(words::parameter);
    format!("{metric} over {x} and {y}, {}", map.table.dataset)
}

fn single(member: &Member) -> Option<f64> {
    member.values.first().copied().flatten()
}

/// The smallest and the largest of some values.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

impl Map<'_> {
    fn cell(&self, row: Option<&Row>) -> Markup {
        let Some(row) = row else {
            return html! { td.empty { span aria-label="no runs" { "–" } } };
        };
        let aggregate = row.aggregates.first().copied().flatten();
        let missing = aggregate.map_or(row.runs, |aggregate| row.runs - aggregate.n.min(row.runs));
        let colour =
            aggregate.map(|aggregate| colours::class(self.position(aggregate.mean))).unwrap_or_default();
        let kind = if missing > 0 { "incomplete" } else { "" };
        let best = if row.best { "best" } else { "" };
        let why = acai_tables::why(row, &self.table.dataset, self.waiting);
        let figure = aggregate.map(|aggregate| numbers::mean(&aggregate, self.spread));
        let (mean, deviation) = match &figure {
            Some(figure) => {
                figure.split_once(" ± ").map_or((figure.as_str(), None), |(mean, of)| (mean, Some(of)))
            }
            None => ("", None),
        };
        let of = aggregate.map_or(0, |aggregate| aggregate.n);
        html! {
            td class={ (colour) " " (kind) " " (best) } {
                a href={ (self.cell_link) (self.parameters(row)) } title=[self.sentence(row, figure.as_deref(), why.as_deref())] {
                    @if aggregate.is_some() { b { (mean) } } @else { b { "…" } }
                    @if let Some(deviation) = deviation { small { "± " (deviation) } }
                    small.n { @if missing > 0 { (of) "/" (row.runs) } @else { "n = " (of) } }
                    @if self.has_dots { (self.dots(row)) }
                    @if let Some(why) = &why { small.why { (why) } }
                }
            }
        }
    }

    fn position(&self, mean: f64) -> f64 {
        let (low, high) = self.range;
        if high > low { (mean - low) / (high - low) } else { 0.5 }
    }

    /// What the page of the cell is asked for.
    fn parameters(&self, row: &Row) -> String {
        let mut question = Question::default();
        for (name, value) in &row.group {
            question = question.and(&format!("is.{name}"), &value.to_string());
        }
        link("", &question).replacen('?', "&", 1)
    }

    fn sentence(&self, row: &Row, figure: Option<&str>, why: Option<&str>) -> Option<String> {
        let why = why.map(|why| format!("; {why}")).unwrap_or_default();
        let figure = figure.unwrap_or("no value yet");
        Some(format!("{}: {figure}, {} of {} runs{why}", words::group(&row.group), row.completed, row.runs))
    }

    /// The single runs, from the smallest value to the largest of the whole map: points of one line, since a large map has
    /// thousands of them.
    fn dots(&self, row: &Row) -> Markup {
        let (low, high) = self.runs_range;
        let place = |value: f64| if high > low { 4.0 + 92.0 * (value - low) / (high - low) } else { 50.0 };
        let mut points = String::new();
        for value in row.members.iter().filter_map(single) {
            let _ = write!(points, "M{:.1} 4h0", place(value));
        }
        html! { svg.dots viewBox="0 0 100 8" aria-hidden="true" { path d=(points) {} } }
    }

    fn legend(&self) -> Markup {
        let (low, high) = self.range;
        let Some(metric) = self.table.metrics.first() else { return html! {} };
        let end = match metric.goal {
            Some(Goal::Minimize) => "; smaller is better, ★ marks the smallest",
            Some(Goal::Maximize) => "; larger is better, ★ marks the largest",
            None => "",
        };
        html! {
            p.legend {
                @if low.is_finite() {
                    span { (numbers::value(low)) }
                    svg.scale viewBox="0 0 64 4" preserveAspectRatio="none" aria-hidden="true" {
                        @for step in 0..64 { rect class={ "v" (step) } x=(step) width="1.2" height="4" {} }
                    }
                    span { (numbers::value(high)) }
                }
                span { code { (metric.name) } " ± " (self.spread.words()) (end)
                    @if self.has_dots { "; dots: single runs" } "; hatched: runs are missing" }
            }
        }
    }
}
