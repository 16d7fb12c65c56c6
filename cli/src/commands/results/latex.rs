//! Tables of results for papers: `booktabs`, the best figures in bold, powers of ten in the caption, and footnotes of figures
//! that lack runs.

use acai_proto::v1::{Goal, ResultsTable};

use super::sheet::{Cell, Column, Figure, Sheet, Unit};
use super::style::Style;

/// Means of this power of ten or a smaller one, and of the other one or a larger one, are divided by it.
const SMALL: i32 = -3;
const LARGE: i32 = 5;

pub(super) fn latex(sweep: &str, sheets: &[Sheet], style: &Style) -> String {
    let mut parts = vec!["% needs \\usepackage{booktabs}".to_owned()];
    parts.extend(sheets.iter().map(|sheet| of_sheet(sweep, sheet, style)));
    parts.join("\n\n")
}

/// The units that a paper's table of these metrics is in: powers of ten, where means are very small or very large.
pub(super) fn units(table: &ResultsTable) -> Vec<Unit> {
    let unit = |place| Unit { size: 10f64.powi(power(table, place)), ..Unit::ONE };
    (0..table.metrics.len()).map(unit).collect()
}

/// The power of ten that a metric's means are divided by; 0 where they are of a usual size.
fn power(table: &ResultsTable, place: usize) -> i32 {
    let means = table.rows.iter().filter_map(|row| row.aggregates.get(place)).filter(|a| a.n > 0);
    let largest = means.map(|aggregate| aggregate.mean.abs()).fold(0.0, f64::max);
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
    let part = if sheet.part.is_empty() { String::new() } else { format!("-{}", label(&sheet.part)) };
    lines.push(format!("\\label{{tab:{}-{}{part}}}", label(sweep), label(&sheet.dataset)));
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
        Column::At { parameter, value, .. } => format!("{} = {}", escaped(parameter), escaped(value)),
        Column::Incomplete => String::new(),
    }
}

fn arrow(goal: Goal) -> &'static str {
    match goal {
        Goal::Minimize => " $\\downarrow$",
        Goal::Maximize => " $\\uparrow$",
        Goal::Unspecified => "",
    }
}

fn cell(cell: &Cell, notes: &mut Vec<String>) -> String {
    match cell {
        Cell::Empty => "--".to_owned(),
        Cell::Text(text) => escaped(text),
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
    let mut caption = escaped(&sheet.dataset);
    if !sheet.part.is_empty() {
        caption += &format!(", {}", escaped(&sheet.part));
    }
    if let (Some((name, goal)), Some(Column::At { .. })) = (&sheet.first, sheet.columns.last()) {
        caption += &format!(", {}{}", escaped(name), arrow(*goal));
    }
    caption += &match style.aggregations.is_empty() {
        true => {
            let seeds = sheet.n.map_or("over seeds".to_owned(), |n| format!("over {n} seeds"));
            format!(": mean $\\pm$ {} {seeds}.", escaped(style.spread.words()))
        }
        false => ", over seeds.".to_owned(),
    };
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
        let power = unit.size.log10();
        let size = match (power - power.round()).abs() < 1e-9 {
            true => format!("10^{{{}}}", power.round()),
            false => unit.size.to_string(),
        };
        let words = format!(" {what} in units of ${size}$.");
        if !said.contains(&words) {
            said.push(words);
        }
    }
    said.concat()
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
