//! Tables of results as Markdown.

use acai_sweep::metric::Goal;
use acai_tables::{Cell, Column, Sheet, Style};

pub(super) fn markdown(sheets: &[Sheet], style: &Style) -> String {
    let tables: Vec<String> = sheets.iter().map(|sheet| of_sheet(sheet, style)).collect();
    tables.join("\n\n")
}

fn of_sheet(sheet: &Sheet, style: &Style) -> String {
    let mut title: Vec<String> = sheet.about().map(escaped).collect();
    if !sheet.dataset.is_empty() {
        title[0] = format!("**{}**", title[0]);
    }
    if let (Some((name, goal)), Some(Column::At { .. })) = (&sheet.first, sheet.columns.last()) {
        title.push(format!("{}{}", escaped(name), arrow(*goal)));
    }
    if style.aggregations.is_empty() {
        title.push(format!("mean ± {}", escaped(style.spread.words())));
    }
    title.extend(sheet.n.map(|n| format!("n = {n}")));
    title.extend(style.scale.as_ref().map(|scale| format!("in units of {}", escaped(&scale.text))));
    let is_text = |column: &Column| matches!(column, Column::Parameter(_) | Column::Incomplete);
    let rules = sheet.columns.iter().map(|column| if is_text(column) { ":--" } else { "--:" }.to_owned());
    let mut lines = vec![title.join(", "), String::new()];
    lines.push(line(&sheet.columns.iter().map(heading).collect::<Vec<_>>()));
    lines.push(line(&rules.collect::<Vec<_>>()));
    lines.extend(sheet.lines.iter().map(|row| line(&row.cells.iter().map(cell).collect::<Vec<_>>())));
    lines.join("\n")
}

fn heading(column: &Column) -> String {
    match column {
        Column::Parameter(name) => escaped(name),
        Column::Count => "n".to_owned(),
        Column::Metric { name, goal, of, .. } => {
            let of = of.map_or(String::new(), |of| format!(" {of}"));
            format!("{}{of}{}", escaped(name), arrow(*goal))
        }
        Column::At { parameter: None, value, .. } => escaped(value),
        Column::At { parameter: Some(parameter), value, .. } => {
            format!("{} = {}", escaped(parameter), escaped(value))
        }
        Column::Incomplete => "incomplete".to_owned(),
    }
}

fn arrow(goal: Option<Goal>) -> &'static str {
    match goal {
        Some(Goal::Minimize) => " ↓",
        Some(Goal::Maximize) => " ↑",
        None => "",
    }
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Empty => "–".to_owned(),
        Cell::Text(text) => escaped(text),
        Cell::Metric { name, goal, .. } => format!("{}{}", escaped(name), arrow(*goal)),
        Cell::Figure(figure) if figure.is_best => format!("**{}**", figure.text()),
        Cell::Figure(figure) => figure.text(),
    }
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// A bar would end the cell, and a star or an underscore begin an emphasis.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '|' | '*' | '_' | '`' | '<' | '\\' => format!("\\{c}"),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}
