//! Tables of results for papers: `booktabs`, the best figures in bold, powers of ten in the caption, and footnotes of figures
//! that lack runs.

use acai_sweep::metric::Goal;
use acai_sweep::results::Aggregate;

use crate::figure::power_of_ten;
use crate::power;
use crate::sheet::{Cell, Column, Figure, Sheet, Unit};
use crate::style::Style;

/// Means of this power of ten or a smaller one, and of the other one or a larger one, are divided by it.
const SMALL: i32 = -3;
const LARGE: i32 = 5;

/// Figures from the one power of ten below their unit up to the other one above it are easy to read, and need no power of
/// their own.
const READABLE: (i32, i32) = (3, 4);
const SHOWN: (i32, i32) = (4, 5);

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
    // Numbers of the computer have few digits left below that.
    Unit { size: 10f64.powi(power(figures).max(-300)), ..Unit::ONE }
}

/// The power of ten that means are divided by, so that no figure of theirs needs one of its own, if there is such a power; 0
/// where they are of a usual size.
fn power(figures: &[&Aggregate]) -> i32 {
    let spread = |std: f64| if std.is_finite() { std } else { 0.0 };
    let sizes = figures.iter().map(|aggregate| aggregate.mean.abs().max(spread(aggregate.std)));
    let powers = sizes.filter(|size| *size > 0.0 && size.is_finite()).map(power_of_ten);
    let (Some(least), Some(most)) = (powers.clone().min(), powers.max()) else { return 0 };
    let usual = if most <= SMALL || most >= LARGE { most } else { 0 };
    if least - usual >= -READABLE.0 {
        return usual;
    }
    if least >= -SHOWN.0 && most <= SHOWN.1 {
        return 0;
    }
    let fits = |(below, above): (i32, i32)| {
        let (from, to) = (most - above, least + below);
        (from <= to).then(|| 0.clamp(from, to))
    };
    fits(READABLE).or_else(|| fits(SHOWN)).unwrap_or(0)
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
        Column::At { parameter: None, value, .. } => text(value),
        Column::At { parameter: Some(parameter), value, .. } => {
            format!("{} = {}", escaped(parameter), text(value))
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
        Cell::Text(it) => text(it),
        Cell::Metric { name, goal, unit } if unit.size == 1.0 => format!("{}{}", escaped(name), arrow(*goal)),
        Cell::Metric { name, goal, unit } => {
            format!("{}{} ($\\times {}$)", escaped(name), arrow(*goal), size(*unit))
        }
        Cell::Figure(figure) => self::figure(figure, notes),
    }
}

/// `$0.24 \pm 0.01$`, with the mean in bold where it is the best, or all of it where a power of ten belongs to all, and the mark
/// of a note where it is not of all runs.
fn figure(figure: &Figure, notes: &mut Vec<String>) -> String {
    let bold = |text: &str| if figure.is_best { format!("\\mathbf{{{text}}}") } else { text.to_owned() };
    let with_power = match &figure.spread {
        Some(spread) => power::figure(&figure.mean, spread),
        None => power::number(&figure.mean),
    };
    let spread = figure.spread.as_ref().map_or(String::new(), |spread| format!(" \\pm {spread}"));
    let shown = with_power.map_or_else(|| bold(&figure.mean) + &spread, |text| bold(&text));
    // Fewer runs than the row has: the reader is told.
    let short = figure.n.map(|n| format!("{n} runs"));
    let mark = figure.note.as_ref().or(short.as_ref()).map_or(String::new(), |note| {
        let place = notes.iter().position(|known| known == note).unwrap_or_else(|| {
            notes.push(note.clone());
            notes.len() - 1
        });
        format!("^{{{}}}", mark(place))
    });
    format!("${shown}{mark}$")
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

/// Words, or a number, which may have a power of ten.
fn text(text: &str) -> String {
    power::number(text).map_or_else(|| escaped(text), |number| format!("${number}$"))
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

    #[test]
    fn figures_with_powers_of_ten_are_set_as_such() {
        let set = |mean: &str, spread: Option<&str>, is_best| {
            let (mean, spread) = (mean.to_owned(), spread.map(str::to_owned));
            let figure = Figure { value: 0.0, mean, spread, n: None, is_best, note: None };
            cell(&Cell::Figure(figure), &mut Vec::new())
        };
        assert_eq!(set("1.1e-14", None, true), "$\\mathbf{1.1 \\times 10^{-14}}$");
        assert_eq!(set("3.2e-8", Some("1.5e-8"), true), "$\\mathbf{(3.2 \\pm 1.5) \\times 10^{-8}}$");
        assert_eq!(set("3.2e-8", Some("1.5e-8"), false), "$(3.2 \\pm 1.5) \\times 10^{-8}$");
        assert_eq!(set("0.24", Some("0.01"), true), "$\\mathbf{0.24} \\pm 0.01$");
        assert_eq!(cell(&Cell::Text("1e-6".to_owned()), &mut Vec::new()), "$10^{-6}$");
        assert_eq!(cell(&Cell::Text("a_b".to_owned()), &mut Vec::new()), "a\\_b");
    }

    #[test]
    fn no_outlier_sets_the_unit_of_others() {
        let unit = |means: &[f64]| {
            let of = |&mean: &f64| Aggregate { n: 1, mean, std: 0.0, min: mean, max: mean, median: mean };
            let aggregates: Vec<Aggregate> = means.iter().map(of).collect();
            power(&aggregates.iter().collect::<Vec<_>>())
        };
        assert_eq!(unit(&[66.2, 65.0, 0.0]), 0);
        assert_eq!(unit(&[0.004, 0.000_39]), -3);
        assert_eq!(unit(&[2.5e6, 1.2e5]), 6);
        assert_eq!(unit(&[0.04, 0.0001]), 0, "all are read well as they are");
        assert_eq!(unit(&[66.2, 2.5e5]), 0, "one outlier");
        assert_eq!(unit(&[1e-3, 1e-7]), -4, "10 and 0.001");
        assert_eq!(unit(&[66.2, 65.0, 1e8]), 4, "0.00662 and 10000");
        assert_eq!(unit(&[1.0, 1.1e-14]), 0, "there is none");
        assert_eq!(unit(&[]), 0);
        assert_eq!(unit(&[0.0, f64::NAN, f64::INFINITY]), 0);
        assert_eq!(unit(&[1e-308]), -308);
    }
}
