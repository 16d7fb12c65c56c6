//! Tables of results for papers: `booktabs`, the best figures in bold, powers of ten in the caption, and footnotes of figures
//! that lack runs.

use acai_sweep::metric::Goal;
use acai_sweep::results::Aggregate;

use crate::sheet::{Cell, Column, Figure, Sheet, Unit};
use crate::style::Style;

/// Means of this power of ten or a smaller one, and of the other one or a larger one, are divided by it.
const SMALL: i32 = -3;
const LARGE: i32 = 5;

/// A table for each sheet of a sweep.
#[must_use]
pub fn latex(sweep: &str, sheets: &[Sheet], style: &Style) -> String {
    let mut parts = vec!["% needs \\usepackage{booktabs}".to_owned()];
    parts.extend(sheets.iter().map(|sheet| of_sheet(sweep, sheet, style)));
    parts.join("\n\n")
}

/// The unit that these figures of a paper's table are in: a power of ten, where means are very small or very large.
#[must_use]
pub fn unit(figures: &[&Aggregate]) -> Unit {
    Unit { size: 10f64.powi(power(figures)), ..Unit::ONE }
}

/// The power of ten that means are divided by; 0 where they are of a usual size.
fn power(figures: &[&Aggregate]) -> i32 {
    let largest = figures.iter().map(|aggregate| aggregate.mean.abs()).fold(0.0, f64::max);
    if largest == 0.0 || !largest.is_finite() {
        return 0;
    }
    let power = largest.log10().floor() as i32;
    if power <= SMALL || power >= LARGE { power } else { 0 }
}

fn of_sheet(sweep: &str, sheet: &Sheet, style: &Style) -> String {
    let mut notes = Vec::new();
    let shown: Vec<usize> =
        (0..sheet.columns.len()).filter(|&column| sheet.columns[column] != Column::Incomplete).collect();
    let is_text = |column: &Column| matches!(column, Column::Parameter(_));
    let rule: String =
        shown.iter().map(|&column| if is_text(&sheet.columns[column]) { 'l' } else { 'r' }).collect();
    let mut lines = vec!["\\begin{table}".to_owned(), "\\centering".to_owned()];
    lines.push(format!("\\begin{{tabular}}{{{rule}}}"));
    lines.push("\\toprule".to_owned());
    lines.push(line(&shown.iter().map(|&column| heading(&sheet.columns[column])).collect::<Vec<_>>()));
    lines.push("\\midrule".to_owned());
    for row in &sheet.lines {
        let cells = shown.iter().filter_map(|&column| row.cells.get(column));
        lines.push(line(&cells.map(|it| cell(it, &mut notes)).collect::<Vec<_>>()));
    }
    lines.extend(["\\bottomrule", "\\end{tabular}"].map(str::to_owned));
    if !notes.is_empty() {
        let notes = notes
            .iter()
            .enumerate()
            .map(|(place, note)| format!("$^{{{}}}$\\,{}", mark(place), escaped(note)));
        lines.push(format!("\\par\\smallskip{{\\footnotesize {}}}", notes.collect::<Vec<_>>().join("; ")));
    }
    lines.push(format!("\\caption{{{}}}", caption(sheet, style)));
    let labels: Vec<String> = [sweep].into_iter().chain(sheet.about()).map(label).collect();
    lines.push(format!("\\label{{tab:{}}}", labels.join("-")));
    lines.push("\\end{table}".to_owned());
    lines.join("\n")
}

fn heading(column: &Column) -> String {
    match column {
        Column::Parameter(name) => escaped(name),
        Column::Count => "$n$".to_owned(),
        Column::Metric { name, goal, of, .. } => {
            let of = of.map_or(String::new(), |of| format!(" {of}"));
            format!("{}{of}{}", escaped(name), arrow(*goal))
        }
        Column::At { parameter: None, value, .. } => escaped(value),
        Column::At { parameter: Some(parameter), value, .. } => {
            format!("{} = {}", escaped(parameter), escaped(value))
        }
        Column::Incomplete => String::new(),
    }
}

fn arrow(goal: Option<Goal>) -> &'static str {
    match goal {
        Some(Goal::Minimize) => " $\\downarrow$",
        Some(Goal::Maximize) => " $\\uparrow$",
        None => "",
    }
}

fn cell(cell: &Cell, notes: &mut Vec<String>) -> String {
    match cell {
        Cell::Empty => "--".to_owned(),
        Cell::Text(text) => escaped(text),
        Cell::Metric { name, goal, unit } if unit.size == 1.0 => format!("{}{}", escaped(name), arrow(*goal)),
        Cell::Metric { name, goal, unit } => {
            format!("{}{} ($\\times {}$)", escaped(name), arrow(*goal), size(*unit))
        }
        Cell::Figure(figure) => self::figure(figure, notes),
    }
}

/// `$0.24 \pm 0.01$`, with the mean in bold where it is the best, and the mark of a note where it is not of all runs.
fn figure(figure: &Figure, notes: &mut Vec<String>) -> String {
    let mean = if figure.is_best { format!("\\mathbf{{{}}}", figure.mean) } else { figure.mean.clone() };
    let spread = figure.spread.as_ref().map_or(String::new(), |spread| format!(" \\pm {spread}"));
    // Fewer runs than the row has: the reader is told.
    let short = figure.n.map(|n| format!("{n} runs"));
    let mark = figure.note.as_ref().or(short.as_ref()).map_or(String::new(), |note| {
        let place = notes.iter().position(|known| known == note).unwrap_or_else(|| {
            notes.push(note.clone());
            notes.len() - 1
        });
        format!("^{{{}}}", mark(place))
    });
    format!("${mean}{spread}{mark}$")
}

/// a, b, …, z, aa, ab, …
fn mark(place: usize) -> String {
    let letter = char::from(b'a' + (place % 26) as u8);
    match place / 26 {
        0 => letter.to_string(),
        more => format!("{}{letter}", mark(more - 1)),
    }
}

fn caption(sheet: &Sheet, style: &Style) -> String {
    let mut about: Vec<String> = sheet.about().map(escaped).collect();
    if let (Some((name, goal)), Some(Column::At { .. })) = (&sheet.first, sheet.columns.last()) {
        about.push(format!("{}{}", escaped(name), arrow(*goal)));
    }
    let about = about.join(", ");
    let figures = match style.aggregations.is_empty() {
        true => {
            let seeds = sheet.n.map_or("over seeds".to_owned(), |n| format!("over {n} seeds"));
            format!("ean $\\pm$ {} {seeds}.", escaped(style.spread.words()))
        }
        // Only tables of one dataset have them.
        false => return format!("{about}, over seeds.{}", units_said(sheet)),
    };
    let caption = if about.is_empty() { format!("M{figures}") } else { format!("{about}: m{figures}") };
    caption + &units_said(sheet)
}

/// ` eval/x in units of $10^{-3}$.`
fn units_said(sheet: &Sheet) -> String {
    let mut said: Vec<String> = Vec::new();
    for column in &sheet.columns {
        let (what, unit) = match column {
            Column::Metric { name, unit, .. } => (escaped(name), *unit),
            Column::At { unit, .. } => ("Figures".to_owned(), *unit),
            _ => continue,
        };
        if unit.size == 1.0 {
            continue;
        }
        let what = if unit.is_asked { "Figures".to_owned() } else { what };
        let words = format!(" {what} in units of ${}$.", size(unit));
        if !said.contains(&words) {
            said.push(words);
        }
    }
    said.concat()
}

/// `10^{-3}`
fn size(unit: Unit) -> String {
    let power = unit.size.log10();
    match (power - power.round()).abs() < 1e-9 {
        true => format!("10^{{{}}}", power.round()),
        false => unit.size.to_string(),
    }
}

fn line(cells: &[String]) -> String {
    format!("{} \\\\", cells.join(" & "))
}

/// Text as LaTeX prints it.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '_' | '%' | '&' | '#' | '$' | '{' | '}' => format!("\\{c}"),
        '\\' => "\\textbackslash{}".to_owned(),
        '~' => "\\textasciitilde{}".to_owned(),
        '^' => "\\textasciicircum{}".to_owned(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Text as part of a label, which takes no special characters.
fn label(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_about_a_metric_says_its_unit() {
        let said = |size| {
            let (name, unit) = ("final/mean_distance".to_owned(), Unit { size, ..Unit::ONE });
            cell(&Cell::Metric { name, goal: Some(Goal::Minimize), unit }, &mut Vec::new())
        };
        assert_eq!(said(1.0), "final/mean\\_distance $\\downarrow$");
        assert_eq!(said(1e-3), "final/mean\\_distance $\\downarrow$ ($\\times 10^{-3}$)");
    }
}
