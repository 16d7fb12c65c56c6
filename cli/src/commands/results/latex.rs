//! Tables of results for papers: `booktabs`, the best row in bold, powers of ten in the headings.

use acai_proto::v1::{GetResultsResponse, Goal, ResultsRow, ResultsTable};
use acai_sweep::statistics::Spread;

use super::figure::{Figure, figure};
use super::text::{group, runs};

/// Means of this power of ten or a smaller one, and of the other one or a larger one, are divided by it.
const SMALL: i32 = -3;
const LARGE: i32 = 5;

pub(super) fn latex(results: &GetResultsResponse, spread: Spread) -> String {
    let mut parts = vec!["% needs \\usepackage{booktabs}".to_owned()];
    parts.extend(results.tables.iter().map(|table| of_dataset(&results.sweep, table, spread)));
    parts.join("\n\n")
}

fn of_dataset(sweep: &str, table: &ResultsTable, spread: Spread) -> String {
    let powers: Vec<i32> = (0..table.metrics.len()).map(|place| power(table, place)).collect();
    let columns = "l".repeat(table.group_by.len()) + &"r".repeat(1 + table.metrics.len());
    let mut lines = vec!["\\begin{table}".to_owned(), "\\centering".to_owned()];
    lines.push(format!("\\begin{{tabular}}{{{columns}}}"));
    lines.push("\\toprule".to_owned());
    lines.push(line(&headings(table, &powers)));
    lines.push("\\midrule".to_owned());
    lines.extend(table.rows.iter().map(|row| line(&cells(table, row, &powers, spread))));
    lines.extend(["\\bottomrule", "\\end{tabular}"].map(str::to_owned));
    lines.push(format!("\\caption{{{}}}", caption(table, spread)));
    lines.push(format!("\\label{{tab:{}-{}}}", label(sweep), label(&table.dataset)));
    lines.push("\\end{table}".to_owned());
    lines.join("\n")
}

fn headings(table: &ResultsTable, powers: &[i32]) -> Vec<String> {
    let mut headings: Vec<String> = table.group_by.iter().map(|name| escaped(name)).collect();
    headings.push("$n$".to_owned());
    for (metric, power) in table.metrics.iter().zip(powers) {
        let arrow = match metric.goal() {
            Goal::Minimize => " $\\downarrow$",
            Goal::Maximize => " $\\uparrow$",
            Goal::Unspecified => "",
        };
        let factor = if *power == 0 { String::new() } else { format!(" ($\\times 10^{{{power}}}$)") };
        headings.push(format!("{}{arrow}{factor}", escaped(&metric.name)));
    }
    headings
}

fn cells(table: &ResultsTable, row: &ResultsRow, powers: &[i32], spread: Spread) -> Vec<String> {
    let mut cells: Vec<String> =
        group(table, row).map(|value| value.map_or("--".to_owned(), |value| escaped(&value))).collect();
    cells.push(runs(row));
    for (place, (aggregate, power)) in row.aggregates.iter().zip(powers).enumerate() {
        let mut scaled = *aggregate;
        let factor = 10f64.powi(-power);
        (scaled.mean, scaled.std) = (aggregate.mean * factor, aggregate.std * factor);
        let figure = figure(&scaled, row.completed, spread);
        cells.push(figure.map_or("--".to_owned(), |figure| cell(&figure, row.best && place == 0)));
    }
    cells
}

/// `$0.24 \pm 0.01$`, with the mean in bold where it is the best.
fn cell(figure: &Figure, is_best: bool) -> String {
    let (mean, spread) = match figure.value.split_once(" ± ") {
        Some((mean, spread)) => (mean, format!(" \\pm {spread}")),
        None => (figure.value.as_str(), String::new()),
    };
    let mean = if is_best { format!("\\mathbf{{{mean}}}") } else { mean.to_owned() };
    // Fewer runs than the row has: the reader is told beside the figure.
    let n = figure.n.map_or(String::new(), |n| format!("\\;(n{{=}}{n})"));
    format!("${mean}{spread}{n}$")
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

fn caption(table: &ResultsTable, spread: Spread) -> String {
    let incomplete = table.rows.iter().any(|row| row.completed < row.runs);
    let note = if incomplete { " Of $k/n$ runs only $k$ are completed and count." } else { "" };
    format!("{}: mean $\\pm$ {} over $n$ seeds.{note}", escaped(&table.dataset), escaped(spread.words()))
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
