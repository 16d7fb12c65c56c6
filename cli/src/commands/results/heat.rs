//! Pivoted tables whose cells are coloured by their means, in a terminal.

use acai_tables::{Cell, Compared, Sheet, Style};

use super::text::{cell, heading, title};
use crate::args::At;
use crate::output::Output;

/// Spaces on each side of a cell.
const PADDING: usize = 1;

/// The tables; without colours where there is no terminal, or nobody wants any.
pub(super) fn heat(sheets: &[Sheet], (at, style): (At, &Style), output: Output) -> String {
    let tables =
        sheets.iter().map(|sheet| format!("{}\n{}", title(sheet, (at, style), true), table(sheet, output)));
    tables.collect::<Vec<_>>().join("\n\n")
}

fn table(sheet: &Sheet, output: Output) -> String {
    let headings: Vec<String> = sheet.columns.iter().map(heading).collect();
    let rows: Vec<Vec<String>> =
        sheet.lines.iter().map(|line| line.cells.iter().map(|it| cell(it, true)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count());
        cells.max().unwrap_or(0).max(headings[column].chars().count())
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let padded = |text: &str, column: usize| {
        let gap = " ".repeat(PADDING);
        format!("{gap}{text:<width$}{gap}", width = widths[column])
    };
    let mut lines =
        vec![headings.iter().enumerate().map(|(column, text)| padded(text, column)).collect::<String>()];
    for (place, (line, row)) in sheet.lines.iter().zip(&rows).enumerate() {
        let cells = line.cells.iter().zip(row).enumerate();
        let cells = cells.map(|(column, (cell, text))| match cell {
            Cell::Figure(figure) if output.is_styled() => {
                Scale::around(sheet, place, column).coloured(figure.value, &padded(text, column))
            }
            _ => padded(text, column),
        });
        lines.push(cells.collect());
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// From the smallest mean to the largest of those that compare.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    /// That of the figures which compare with the one in this place.
    fn around(sheet: &Sheet, line: usize, column: usize) -> Scale {
        let compares = |(i, j): (usize, usize)| match sheet.compared {
            Compared::All => true,
            Compared::EachRow => i == line,
            Compared::EachColumn => j == column,
            Compared::None => (i, j) == (line, column),
        };
        let mut scale = Scale { least: f64::INFINITY, most: f64::NEG_INFINITY };
        for (i, row) in sheet.lines.iter().enumerate() {
            for (_, cell) in row.cells.iter().enumerate().filter(|(j, _)| compares((i, *j))) {
                if let Cell::Figure(figure) = cell {
                    (scale.least, scale.most) = (scale.least.min(figure.value), scale.most.max(figure.value));
                }
            }
        }
        scale
    }

    fn coloured(&self, value: f64, text: &str) -> String {
        // A difference of two numbers may be beyond what a number can be; their halves' is not.
        let share = (value / 2.0 - self.least / 2.0) / (self.most / 2.0 - self.least / 2.0);
        let ([red, green, blue], is_ink_dark) = acai_plot::shade(if share.is_finite() { share } else { 0.5 });
        let ink = if is_ink_dark { 0 } else { 255 };
        format!("\u{1b}[48;2;{red};{green};{blue}m\u{1b}[38;2;{ink};{ink};{ink}m{text}\u{1b}[0m")
    }
}
