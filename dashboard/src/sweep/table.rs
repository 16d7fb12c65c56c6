//! The table of results.

use acai_sweep::metric::Goal;
use acai_sweep::results::{Row, Table};
use acai_sweep::statistics::Spread;
use maud::{Markup, html};

use crate::asked::{Asked, of_run, of_sweep};
use crate::{numbers, words};

/// Rows that a page shows unless it is asked for all.
pub(super) const SHOWN: usize = 200;

/// A dataset's rows, each of which can be chosen for comparison.
pub(super) fn table(
    (sweep, table): (&str, &Table),
    asked: &Asked,
    spread: Spread,
    waiting: &[String],
) -> Markup {
    let rows = sorted(table, asked);
    let shown = if asked.question.get("all").is_some() { rows.len() } else { rows.len().min(SHOWN) };
    let is_incomplete = rows.iter().any(|row| row.completed < row.runs);
    html! {
        form action={ (of_sweep(sweep)) "/compare" } {
            div.scroll {
                table.results data-rows {
                    thead { tr {
                        th scope="col" { span.hidden { "compare" } }
                        @for name in &table.group_by { (heading(asked, name, &words::parameter(name))) }
                        th.value scope="col" { "n" }
                        @for metric in &table.metrics { (heading(asked, &metric.name, &metric.name)) }
                        @if is_incomplete { th scope="col" { "missing" } }
                    } }
                    tbody { @for row in &rows[..shown] {
                        (line((sweep, table), row, spread, is_incomplete, waiting))
                    } }
                }
            }
            p.small {
                button { "Compare the chosen rows" } " "
                @if shown < rows.len() {
                    (shown) " of " (rows.len()) " rows: " a href=(asked.with("all", "1")) { "show all" }
                }
            }
        }
    }
}

fn heading(asked: &Asked, key: &str, name: &str) -> Markup {
    let (is_sorted, is_turned) = sorting(asked, key);
    let next = if is_sorted && !is_turned { format!("-{key}") } else { key.to_owned() };
    let order = is_sorted.then_some(if is_turned { "descending" } else { "ascending" });
    html! { th.value scope="col" aria-sort=[order] { a href=(asked.with("sort", &next)) { (name) } } }
}

/// Whether the table is sorted by this, and from the largest to the smallest.
fn sorting(asked: &Asked, key: &str) -> (bool, bool) {
    match asked.question.get("sort") {
        Some(sort) => (sort.trim_start_matches('-') == key, sort.starts_with('-')),
        None => (false, false),
    }
}

/// As a URL asks for; otherwise as the table comes, the best row first.
fn sorted<'t>(table: &'t Table, asked: &Asked) -> Vec<&'t Row> {
    let mut rows: Vec<&Row> = table.rows.iter().collect();
    let Some(sort) = asked.question.get("sort") else { return rows };
    let (name, is_turned) = (sort.trim_start_matches('-'), sort.starts_with('-'));
    let metric = table.metrics.iter().position(|metric| metric.name == name);
    let key = |row: &Row| match metric {
        Some(place) => (row.aggregates.get(place).copied().flatten().map(|it| it.mean), String::new()),
        None => {
            let value =
                row.group.iter().find(|(known, _)| known == name).map(|(_, value)| words::value(value));
            (value.as_ref().and_then(|text| text.parse().ok()), value.unwrap_or_default())
        }
    };
    rows.sort_by(|a, b| {
        let ((a, a_word), (b, b_word)) = (key(a), key(b));
        let order = match (a, b) {
            (Some(a), Some(b)) if is_turned => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            // What has no value is last either way.
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        order.then_with(|| if is_turned { b_word.cmp(&a_word) } else { a_word.cmp(&b_word) })
    });
    rows
}

fn line(
    (sweep, table): (&str, &Table),
    row: &Row,
    spread: Spread,
    is_incomplete: bool,
    waiting: &[String],
) -> Markup {
    let mut pairs = row.group.clone();
    pairs.push(("dataset".to_owned(), table.dataset.as_str().into()));
    let value = |name: &String| {
        row.group.iter().find(|(known, _)| known == name).map(|(_, value)| words::value(value))
    };
    html! {
        tr.best[row.best] {
            td { input type="checkbox" name="with" value=(words::condition(&pairs)) aria-label={ "compare " (words::group(&row.group)) }; }
            @for name in &table.group_by { td.value { (value(name).unwrap_or_default()) } }
            td.value { @if row.completed < row.runs { (row.completed) "/" (row.runs) } @else { (row.runs) } }
            @for (place, aggregate) in row.aggregates.iter().enumerate() {
                td.value {
                    @if let Some(aggregate) = aggregate {
                        @if row.best && place == 0 { span.star title=[table.metrics.first().and_then(|it| it.goal).map(best)] { "★ " } }
                        (numbers::mean(aggregate, spread))
                        @if aggregate.n != row.completed { small { " (n=" (aggregate.n) ")" } }
                    }
                }
            }
            @if is_incomplete { td { (missing(sweep, table, row, waiting)) } }
        }
    }
}

fn best(goal: Goal) -> &'static str {
    match goal {
        Goal::Minimize => "the smallest mean",
        Goal::Maximize => "the largest mean",
    }
}

/// Which runs have no value, and why.
fn missing(sweep: &str, table: &Table, row: &Row, waiting: &[String]) -> Markup {
    let open = row.members.iter().filter(|member| member.state != acai_sweep::run::RunState::Completed);
    html! {
        @if let Some(why) = words::incomplete(row, &table.dataset, waiting) {
            (why) ":"
            @for member in open.take(8) { " " a href=(of_run(sweep, member.number)) { "#" (member.number) } }
        }
    }
}
