//! A sweep at a glance: its plane, its table, what is missing, and one metric against another.

use acai_coordinator::use_cases::SweepStatus;
use acai_sweep::metric::EVALUATION;
use acai_sweep::results::{SEED, Table};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, PreEscaped, html};

use super::{controls, frame, heat, ledger, progress, table};
use crate::asked::{Asked, Question, link, of_sweep};
use crate::command::Form;
use crate::figures;
use crate::frame::document;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::view::{PARTS, View, axes};
use crate::words;

/// Rows up to which a scatter is drawn on the page.
const SCATTERED: usize = 40;

pub(crate) async fn page(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let status = site.use_cases.status(&sweep).await?;
    let view = View::of(&asked.question);
    let overview = &status.sweep.overview;
    let metrics = site.use_cases.metrics(&sweep).await?;
    // A condition that makes no sense is said beside the field that it stands in.
    let shown = results(&site, &status, &view, &asked).await;
    let tables = shown.as_ref().map_or(&[][..], |shown| &shown.usual);
    let content = html! {
        h1 { (overview.name) }
        @if !overview.description.is_empty() { p.description { (overview.description) } }
        (progress::bar(overview))
        (form(&view, &asked, &metrics, tables))
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

/// Controls, which stand beside what they change.
fn form(view: &View, asked: &Asked, metrics: &[String], tables: &[Table]) -> Markup {
    let mut scores: Vec<String> =
        metrics.iter().filter(|name| name.starts_with(EVALUATION)).cloned().collect();
    scores.extend(metrics.iter().filter(|name| !name.starts_with(EVALUATION)).cloned());
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
            (controls::choice("Metric", "metric", view.metric.as_deref(), &scores, Some("as the file says")))
            @if varied.len() > 1 {
                (controls::choice("→", "x", pair.as_ref().map(|(x, _)| x.as_str()), &varied, None))
                (controls::choice("↓", "y", pair.as_ref().map(|(_, y)| y.as_str()), &varied, None))
            }
            (controls::fixed(tables, &shown, asked))
            (controls::groups("A row for each", asked))
            (controls::conditions(view, asked))
            button { "Show" }
        }
    }
}

async fn results(site: &Site, status: &SweepStatus, view: &View, asked: &Asked) -> Result<Shown> {
    let (sweep, spread) = (&status.sweep.overview.name, view.spread()?);
    let usual = view.rows(site, sweep).await?;
    let varied = usual.tables.first().map(|table| table.group_by.clone()).unwrap_or_default();
    let axes = axes(view, &varied);
    let planes = match &axes {
        // Where rows are cells already, the store need not be asked again.
        Some((x, y)) if is_plane(&varied, x, y) => usual.tables.clone(),
        Some((x, y)) => view.tables(site, sweep, &[x.clone(), y.clone()]).await?.tables,
        None => Vec::new(),
    };
    let waiting = &status.waiting_for_datasets;
    let plane = html! {
        @if let Some((x, y)) = &axes {
            section #plane {
                @for plane in &planes {
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
        (scatters(sweep, &usual.tables, view, asked)?)
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

/// The first two metrics of each dataset against each other.
fn scatters(sweep: &str, tables: &[Table], view: &View, asked: &Asked) -> Result<Markup> {
    let spread = view.spread()?;
    let drawn = tables.iter().filter(|table| table.rows.len() <= SCATTERED);
    let figures = drawn.filter_map(|table| Some((table, figures::scatter(table, [0, 1], spread)?)));
    let figures: Vec<(&Table, String)> = figures.map(|(table, figure)| (table, figure.to_svg())).collect();
    if figures.is_empty() {
        return Ok(html! {});
    }
    Ok(html! {
        section #scatter {
            h2 { "One metric against another" }
            div.figures { @for (table, svg) in &figures {
                figure {
                    (PreEscaped(svg))
                    figcaption { (table.dataset) }
                    (scatter_command(sweep, table, view, asked))
                }
            } }
        }
    })
}

fn scatter_command(sweep: &str, table: &Table, view: &View, asked: &Asked) -> Markup {
    let question = asked.question.only(&PARTS).with("dataset", &table.dataset);
    let svg = to(sweep, "scatter.svg", &question);
    // A row a run.
    let csv = question
        .with("sort", "")
        .with("group-by", &[&table.group_by[..], &[SEED.to_owned()]].concat().join(","));
    let name = |place: usize| table.metrics.get(place).map(|metric| metric.name.as_str());
    let command = view
        .command(&["plot", "scatter", sweep])
        .option("x", name(0))
        .option("y", name(1))
        .option("dataset", Some(&table.dataset))
        .word("-o scatter.svg");
    command.shown(&[Form::File("SVG", svg), Form::File("CSV", to(sweep, "results.csv", &csv))])
}
