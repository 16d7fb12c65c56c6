//! The runs of one cell: each seed's scores, their curves and pictures.

use acai_coordinator::store::ArtifactRecord;
use acai_plot::Width;
use acai_sweep::filter::STATE;
use acai_sweep::results::{Row, Table};
use acai_sweep::run::RunState;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tokio_stream::StreamExt as _;

use super::{curves, film, frame};
use crate::asked::{Asked, IS, Question, link, of_run, of_sweep};
use crate::command::Form;
use crate::frame::document;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::view::View;
use crate::{blob, numbers, words};

pub(crate) async fn page(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let status = site.use_cases.status(&sweep).await?;
    let group = group(&asked.question);
    if group.is_empty() {
        return Err(Problem::question(
            IS,
            "names no cell\nhint: cells are reached from the heat map of a sweep",
        ));
    }
    let mut of_cell = group.clone();
    of_cell.extend(asked.question.get("dataset").map(|dataset| ("dataset".to_owned(), dataset.into())));
    let condition = words::condition(&of_cell);
    let outer = View::of(&asked.question);
    let filter = if outer.filter.is_empty() {
        condition.clone()
    } else {
        format!("({}) and {condition}", outer.filter)
    };
    let view = View { filter, ..outer };
    let names: Vec<String> = group.iter().map(|(name, _)| name.clone()).collect();
    let all = View { metric: None, ..view.clone() };
    let tables = all.tables(&site, &sweep, &names).await?.tables;
    let title = words::group(&group);
    let drawn = curves::draw(&site, &sweep, &view).await;
    let mut artifacts = Vec::new();
    for row in tables.iter().flat_map(|table| &table.rows) {
        artifacts.extend(pictures_of(&site, &sweep, row).await?);
    }
    let content = html! {
        h1 { (title) }
        p.small { a href=(of_sweep(&sweep)) { (sweep) } ": runs for which " code { (view.filter) } }
        @for table in &tables {
            section {
                h2 { (table.dataset) }
                @for row in &table.rows { (runs(&sweep, table, row, &view, &status.waiting_for_datasets)?) }
            }
        }
        (table_command(&sweep, &names, &view, &asked))
        @if let Ok(drawn) = &drawn { (figure(&sweep, drawn, &view, &asked)?) }
        @if !artifacts.is_empty() {
            section { h2 { "Interpolations" } div.gallery { @for artifact in &artifacts {
                figure {
                    a href=(of_run(&sweep, artifact.number)) {
                        img src=(blob::path(&artifact.artifact.sha256)) loading="lazy"
                            alt={ "interpolations of run " (artifact.number) " at step " (artifact.artifact.step) };
                    }
                    figcaption { "#" (artifact.number) ", step " (artifact.artifact.step) }
                }
            } } }
        }
        (compare_with(&sweep, &condition))
    };
    Ok(document(&frame(&asked, &status.sweep.overview, &title), &content).into_response())
}

/// The values that make the cell.
fn group(question: &Question) -> Vec<(String, acai_sweep::scalar::Scalar)> {
    let named = question.pairs().filter_map(|(name, value)| Some((name.strip_prefix(IS)?, value)));
    let scalar = |text: &str| match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(number), _) => number.into(),
        (_, Ok(number)) => number.into(),
        _ => text.into(),
    };
    named.map(|(name, value)| (name.to_owned(), scalar(value))).collect()
}

/// A row for each run, and the means of all.
fn runs(sweep: &str, table: &Table, row: &Row, view: &View, waiting: &[String]) -> Result<Markup> {
    let spread = view.spread()?;
    let figure = |value: Option<f64>| value.map(numbers::value).unwrap_or_default();
    Ok(html! {
        div.scroll { table data-rows {
            thead { tr {
                th scope="col" { "run" } th.value scope="col" { "seed" } th scope="col" { (STATE) }
                @for metric in &table.metrics { th.value scope="col" { (metric.name) } }
            } }
            tbody { @for member in &row.members { tr {
                td { a href=(of_run(sweep, member.number)) { "#" (member.number) } }
                td.value { (member.seed) }
                td { (words::state(member.state)) }
                @for value in &member.values { td.value { (figure(*value)) } }
            } } }
            tfoot { tr {
                th scope="row" colspan="3" { "mean ± " (spread.words()) ", n = " (row.completed) " of " (row.runs) }
                @for aggregate in &row.aggregates { td.value { @if let Some(it) = aggregate {
                    (numbers::mean(it, spread))
                    @if it.n != row.completed { small { " (n=" (it.n) ")" } }
                } } }
            } }
        } }
        @if let Some(why) = acai_tables::why(row, &table.dataset, waiting) { p.warning { "Missing: " (why) "." } }
    })
}

/// The runs as the command line lists them, a row a seed.
fn table_command(sweep: &str, names: &[String], view: &View, asked: &Asked) -> Markup {
    let group_by = format!("{},seed", names.join(","));
    let question = question(view, asked).with("group-by", &group_by);
    let form = |end: &str| link(&format!("{}/{end}", of_sweep(sweep)), &question);
    let forms = [Form::File("CSV", form("results.csv")), Form::Text("LaTeX", form("results.tex"))];
    view.command(&["results", sweep]).option("group-by", Some(&group_by)).shown(&forms)
}

/// What asks for the same runs elsewhere.
fn question(view: &View, asked: &Asked) -> Question {
    asked.question.only(&["at", "spread"]).with("where", &view.filter)
}

fn figure(sweep: &str, drawn: &curves::Drawn, view: &View, asked: &Asked) -> Result<Markup> {
    let question = question(view, asked).with("metric", &drawn.metric);
    let form = |end: &str| link(&format!("{}/curves.{end}", of_sweep(sweep)), &question);
    let Some(groups) = drawn.first() else { return Ok(html! {}) };
    let svg = curves::svg_of(&drawn.metric, groups.to_vec(), view.spread()?, Width::TwoColumns);
    Ok(html! {
        section {
            h2 { (words::metric(&drawn.metric)) }
            (curves::figure(&form("json"), &svg))
            (view.command(&["plot", "curves", sweep]).option("metric", Some(&drawn.metric)).word("-o curves.svg")
                .shown(&[Form::File("SVG", form("svg")), Form::File("CSV", form("csv"))]))
        }
    })
}

/// The latest interpolations of each run of the row.
async fn pictures_of(site: &Site, sweep: &str, row: &Row) -> Result<Vec<ArtifactRecord>> {
    let begun = row.members.iter().filter(|member| member.state != RunState::Queued);
    let numbers: Vec<u32> = begun.map(|member| member.number).collect();
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let mut stream = site.use_cases.artifacts(sweep, numbers).await?;
    let mut last: Vec<ArtifactRecord> = Vec::new();
    while let Some(artifact) = stream.next().await {
        let artifact = artifact?;
        if artifact.artifact.name != film::USUAL {
            continue;
        }
        // They come in the order of their runs and steps.
        last.pop_if(|known| known.number == artifact.number);
        last.push(artifact);
    }
    Ok(last)
}

fn compare_with(sweep: &str, condition: &str) -> Markup {
    html! {
        form.controls action={ (of_sweep(sweep)) "/compare" } {
            input type="hidden" name="with" value=(condition);
            label.wide { "Compare with runs for which" input type="search" name="with" required placeholder="lambda = 0" spellcheck="false"; }
            button { "Compare" }
        }
    }
}
