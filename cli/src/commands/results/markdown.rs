//! Tables of results for pages and issues.

use acai_proto::v1::{GetResultsResponse, Goal, ResultsTable};
use acai_sweep::statistics::Spread;

use super::figure::figure;
use super::text::{group, runs};

pub(super) fn markdown(results: &GetResultsResponse, spread: Spread) -> String {
    let tables: Vec<String> = results.tables.iter().map(|table| of_dataset(table, spread)).collect();
    tables.join("\n\n")
}

fn of_dataset(table: &ResultsTable, spread: Spread) -> String {
    let mut headings: Vec<String> = table.group_by.iter().map(|name| escaped(name)).collect();
    headings.push("n".to_owned());
    headings.extend(table.metrics.iter().map(|metric| match metric.goal() {
        Goal::Minimize => format!("{} ↓", escaped(&metric.name)),
        Goal::Maximize => format!("{} ↑", escaped(&metric.name)),
        Goal::Unspecified => escaped(&metric.name),
    }));
    let rule = |place: usize| if place < table.group_by.len() { ":--" } else { "--:" };
    let mut lines =
        vec![format!("**{}**, mean ± {}", escaped(&table.dataset), spread.words()), String::new()];
    lines.push(line(&headings));
    lines.push(line(&(0..headings.len()).map(|place| rule(place).to_owned()).collect::<Vec<_>>()));
    for row in &table.rows {
        let mut cells: Vec<String> =
            group(table, row).map(|value| value.map_or("–".to_owned(), |value| escaped(&value))).collect();
        cells.push(runs(row));
        for (place, aggregate) in row.aggregates.iter().enumerate() {
            let cell = match figure(aggregate, row.completed, spread) {
                None => "–".to_owned(),
                Some(figure) => match figure.n {
                    None => figure.value,
                    Some(n) => format!("{} (n={n})", figure.value),
                },
            };
            cells.push(if row.best && place == 0 { format!("**{cell}**") } else { cell });
        }
        lines.push(line(&cells));
    }
    lines.join("\n")
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
