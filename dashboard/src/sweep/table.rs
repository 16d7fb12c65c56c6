//! The table of results.

use acai_sweep::metric::Goal;
use acai_sweep::results::{Row, Table};
use acai_sweep::statistics::Spread;
use acai_tables::why;
use maud::{Markup, html};

use crate::asked::{Asked, of_run, of_sweep};
use crate::order::{N, Order};
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
    let rows = &table.rows;
    let shown = if asked.question.get("all").is_some() { rows.len() } else { rows.len().min(SHOWN) };
    let is_incomplete = rows.iter().any(|row| row.completed < row.runs);
    html! {
        form action={ (of_sweep(sweep)) "/compare" } {
            div.scroll {
                table.results data-rows {
                    thead { tr {
                        th scope="col" { span.hidden { "compare" } }
                        @for name in &table.group_by { (heading(asked, name, &words::parameter(name))) }
                        (heading(asked, N, "n"))
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
    let (order, next) = Order::heading(Order::of(&asked.question).as_ref(), key);
    html! { th.value scope="col" aria-sort=[order] { a href=(asked.with("sort", &next)) { (name) } } }
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
        row.group.iter().find(|(known, _)| known == name).map(|(_, it)| acai_tables::value(it))
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
        @if let Some(why) = why(row, &table.dataset, waiting) {
            (why) ":"
            @for member in open.take(8) { " " a href=(of_run(sweep, member.number)) { "#" (member.number) } }
        }
    }
}
