//! Tables of results for people.

use acai_proto::v1::GetResultsResponse;
use acai_sweep::metric::Goal;
use acai_sweep::statistics::Spread;
use acai_tables::{Best, Cell, Column, Sheet, Style};

use crate::args::At;
use crate::grid::Grid;
use crate::output::Output;

pub(super) fn text(
    (results, sheets): (&GetResultsResponse, &[Sheet]),
    (at, style): (At, &Style),
    is_pivoted: bool,
    output: Output,
) -> String {
    let mut blocks: Vec<String> =
        sheets.iter().map(|sheet| block(sheet, (at, style), is_pivoted, output)).collect();
    if results.completed < results.runs {
        blocks.push(format!("{} of {} runs completed", results.completed, results.runs));
    }
    blocks.join("\n\n")
}

/// One dataset: a line that says what is seen, then the rows.
fn block(sheet: &Sheet, (at, style): (At, &Style), is_pivoted: bool, output: Output) -> String {
    let is_starred = style.best != Best::None && !is_pivoted;
    let parameters = sheet.columns.iter().filter(|column| matches!(column, Column::Parameter(_))).count();
    let mut headings: Vec<String> = sheet.columns.iter().map(heading).collect();
    let mut rows: Vec<Vec<String>> =
        sheet.lines.iter().map(|line| line.cells.iter().map(|it| cell(it, is_pivoted)).collect()).collect();
    if is_starred {
        headings.insert(0, String::new());
        for (row, line) in rows.iter_mut().zip(&sheet.lines) {
            row.insert(0, if line.is_best { "*" } else { "" }.to_owned());
        }
    }
    // What a row is about stays, and the metric that sorts.
    let mut grid = Grid::new(&headings, rows).keeping(2 + usize::from(is_starred) + parameters);
    if sheet.columns.last() == Some(&Column::Incomplete) {
        grid = grid.free_text_last();
    }
    let mut grid = grid.fit(output.width());
    if output.is_styled() {
        for (line, row) in grid.lines.iter_mut().skip(grid.heading).zip(&sheet.lines) {
            if row.is_best && !is_pivoted {
                *line = format!("\u{1b}[1m{line}\u{1b}[0m");
            }
        }
    }
    format!("{}\n{grid}", title(sheet, (at, style), is_pivoted))
}

pub(super) fn title(sheet: &Sheet, (at, style): (At, &Style), is_pivoted: bool) -> String {
    let mut title: Vec<String> = sheet.about().map(str::to_owned).collect();
    title.extend(sheet.first.iter().filter(|_| is_pivoted).map(|(name, _)| name.clone()));
    title.extend(values(sheet, at));
    if style.spread != Spread::Population && style.aggregations.is_empty() {
        title.push(format!("mean ± {}", style.spread.words()));
    }
    title.extend(sheet.n.map(|n| format!("n = {n}")));
    title.extend(style.scale.as_ref().map(|scale| format!("in units of {}", scale.text)));
    title.extend(sheet.marked(style.best).map(|marked| format!("* marks {marked}")));
    title.join(", ")
}

pub(super) fn heading(column: &Column) -> String {
    match column {
        Column::Parameter(name) => name.clone(),
        Column::Count => "n".to_owned(),
        Column::Metric { name, of: None, .. } => name.clone(),
        Column::Metric { name, of: Some(of), .. } => format!("{name} {of}"),
        Column::At { parameter: None, value, .. } => value.clone(),
        Column::At { parameter: Some(parameter), value, .. } => format!("{parameter}={value}"),
        Column::Incomplete => "incomplete".to_owned(),
    }
}

pub(super) fn cell(cell: &Cell, is_pivoted: bool) -> String {
    match cell {
        Cell::Empty => "-".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Metric { name, .. } => name.clone(),
        Cell::Figure(figure) if is_pivoted && figure.is_best => format!("{} *", figure.text()),
        Cell::Figure(figure) => figure.text(),
    }
}

/// Which values the table is about, where these are not each run's last.
fn values(sheet: &Sheet, at: At) -> Option<String> {
    Some(match (at, &sheet.first) {
        (At::Last, _) => return None,
        (At::Final, _) => "each run at the last step of its training".to_owned(),
        (At::Best, Some((name, goal))) => {
            let end = if *goal == Some(Goal::Maximize) { "largest" } else { "smallest" };
            format!("each run at the step where its {name} is {end} (chosen on test data)")
        }
        (At::Best, None) => "each run at its best step".to_owned(),
        (At::Kimg(kimg), _) => format!("each run after {kimg} kimg, or at its last step before"),
        (At::Step(step), _) => format!("each run at step {step}, or at its last one before"),
        (At::Min, _) => {
            "the smallest value of each metric of a run, which may be of different steps".to_owned()
        }
        (At::Max, _) => {
            "the largest value of each metric of a run, which may be of different steps".to_owned()
        }
        (At::Mean, _) => "the mean of each metric over the steps of a run".to_owned(),
    })
}
