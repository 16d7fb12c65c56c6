//! A sweep at a glance: its plane, its table, what is missing, and one metric against another.

use std::borrow::Cow;

use acai_coordinator::use_cases::SweepStatus;
use acai_sweep::metric::EVALUATION;
use acai_sweep::results::Table;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::{controls, frame, heat, ledger, progress, scatter, table};
use crate::asked::{Asked, Question, link, of_sweep};
use crate::command::Form;
use crate::frame::document;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::view::{PARTS, View, axes};
use crate::words;

pub(crate) async fn page(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let status = site.use_cases.status(&sweep).await?;
    let view = View::of(&asked.question);
    let overview = &status.sweep.overview;
    let scores = scores(site.use_cases.metrics(&sweep).await?);
    // A condition that makes no sense is said beside the field that it stands in.
    let shown = results(&site, &status, (&view, &asked), &scores).await;
    let tables = shown.as_ref().map_or(&[][..], |shown| &shown.usual);
    let content = html! {
        h1 { (overview.name) }
        @if !overview.description.is_empty() { p.description { (overview.description) } }
        (progress::bar(overview))
        (form(&view, &asked, &scores, tables))
        div.beside {
            @match &shown {
                Ok(shown) => (shown.plane),
                Err(problem) => (complaint(problem)),
            }
            section #ledger {
                h2 { "What is missing, and why" }
                (ledger::ledger(&status))
                p.small { a href={ (of_sweep(&sweep)) "/file.yaml" } { "The sweep's file" } }
            }
        }
        @if let Ok(shown) = &shown { (shown.rest) }
    };
    Ok(document(&frame(&asked, overview, ""), &content).into_response())
}

struct Shown {
    /// The heat maps.
    plane: Markup,
    /// The tables, and one metric against another.
    rest: Markup,
    /// The tables as the file says.
    usual: Vec<Table>,
}

fn complaint(problem: &Problem) -> Markup {
    html! { section.problem role="alert" { pre { (problem.message()) } } }
}

/// Metrics as people look for them: scores first.
fn scores(mut metrics: Vec<String>) -> Vec<String> {
    metrics.sort_by_key(|name| !name.starts_with(EVALUATION));
    metrics
}

/// Controls, which stand beside what they change.
fn form(view: &View, asked: &Asked, scores: &[String], tables: &[Table]) -> Markup {
    let mut varied: Vec<String> = Vec::new();
    tables.iter().flat_map(|table| &table.group_by).for_each(|name| {
        if !varied.contains(name) {
            varied.push(name.clone());
        }
    });
    let pair = axes(view, &varied);
    let shown: Vec<&str> = pair.iter().flat_map(|(x, y)| [x.as_str(), y.as_str()]).collect();
    html! {
        form.controls #controls action=(asked.path) aria-label="What is shown" {
            (controls::choice("Metric", "metric", view.metric.as_deref(), scores, Some("as the file says")))
            @if varied.len() > 1 {
                (controls::choice("Columns", "x", pair.as_ref().map(|(x, _)| x.as_str()), &varied, None))
                (controls::choice("Rows", "y", pair.as_ref().map(|(_, y)| y.as_str()), &varied, None))
            }
            (controls::fixed(tables, &shown, asked))
            (controls::groups("A row for each", asked))
            (controls::conditions(view, asked))
            button { "Show" }
        }
    }
}

async fn results(
    site: &Site,
    status: &SweepStatus,
    (view, asked): (&View, &Asked),
    scores: &[String],
) -> Result<Shown> {
    let (sweep, spread) = (&status.sweep.overview.name, view.spread()?);
    let usual = view.rows(site, sweep).await?;
    let varied = usual.tables.first().map(|table| table.group_by.clone()).unwrap_or_default();
    let axes = axes(view, &varied);
    let planes = match &axes {
        // Where rows are cells already, the store need not be asked again.
        Some((x, y)) if is_plane(&varied, x, y) => Cow::Borrowed(&usual.tables),
        Some((x, y)) => Cow::Owned(view.tables(site, sweep, &[x.clone(), y.clone()]).await?.tables),
        None => Cow::default(),
    };
    let waiting = &status.waiting_for_datasets;
    let plane = html! {
        @if let Some((x, y)) = &axes {
            section #plane {
                @for plane in planes.iter() {
                    h2 { (plane.dataset) ": " (metric_name(plane)) }
                    (heat::map((sweep, plane), [x, y], asked, spread, waiting))
                    (plane_command(sweep, plane, (x, y), view, asked))
                }
            }
        }
    };
    let rest = html! {
        section #results {
            h2 { "Results" }
            p.small { "Means of completed runs ± " (spread.words()) "; n is how many runs there are. "
                (usual.completed) " of " (usual.runs) " runs are completed." }
            @for table in &usual.tables {
                h3 { (table.dataset) }
                (table::table((sweep, table), asked, spread, waiting))
            }
            (table_commands(sweep, view, asked))
        }
        (scatter::section((site, sweep), (view, asked), (&usual.tables, scores)).await?)
    };
    Ok(Shown { plane, rest, usual: usual.tables })
}

/// Whether rows of these parameters are the cells of the two axes.
fn is_plane(varied: &[String], x: &str, y: &str) -> bool {
    varied.len() == 2 && varied.iter().any(|name| name == x) && varied.iter().any(|name| name == y)
}

fn metric_name(table: &Table) -> String {
    match table.metrics.first() {
        Some(metric) => words::metric(&metric.name),
        None => "no run is completed yet".to_owned(),
    }
}

fn plane_command(sweep: &str, plane: &Table, (x, y): (&str, &str), view: &View, asked: &Asked) -> Markup {
    let question = asked.question.only(&PARTS).with("x", x).with("y", y).with("dataset", &plane.dataset);
    let svg = to(sweep, "heatmap.svg", &question);
    let command = view
        .command(&["plot", "heatmap", sweep])
        .option("x", Some(x))
        .option("y", Some(y))
        .option("metric", view.metric.as_deref())
        .option("dataset", Some(&plane.dataset))
        .word("-o plane.svg");
    let csv = question
        .only(&["metric", "dataset", "where", "fix", "at", "spread"])
        .with("group-by", &format!("{x},{y}"));
    command.shown(&[Form::File("SVG", svg), Form::File("CSV", to(sweep, "results.csv", &csv))])
}

/// A path below a sweep's, with a question.
fn to(sweep: &str, end: &str, question: &Question) -> String {
    link(&format!("{}/{end}", of_sweep(sweep)), question)
}

fn table_commands(sweep: &str, view: &View, asked: &Asked) -> Markup {
    let form = |end: &str| to(sweep, end, &asked.question.only(&PARTS));
    let latex = view.rows_command(sweep).word("--format latex");
    html! {
        (view.rows_command(sweep).shown(&[Form::File("CSV", form("results.csv"))]))
        (latex.shown(&[Form::Text("LaTeX", form("results.tex"))]))
    }
}
