//! A run: where it is and why, its attempts, curves, scores, checkpoints and pictures.

pub(crate) mod log;

use acai_coordinator::store::{ArtifactRecord, AttemptRecord, Explanation, RunDetails, RunRecord};
use acai_coordinator::use_cases::CurveRequest;
use acai_plot::{CurveGroup, Width};
use acai_sweep::explain;
use acai_sweep::results::Summary;
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;
use acai_sweep::statistics::Spread;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tokio_stream::StreamExt as _;

use crate::asked::{Asked, Question, link, of_run, of_sweep};
use crate::blob;
use crate::command::{Command, Form, forms};
use crate::frame::document;
use crate::numbers::{bytes, lasted, percent, rfc3339, utc, value};
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::sweep::{curves, downloads, film, frame};
use crate::words;
use crate::workers::hardware;

/// Points of a curve.
const POINTS: u32 = 400;

pub(crate) async fn page(
    State(site): State<Site>,
    Path((sweep, number)): Path<(String, String)>,
    asked: Asked,
) -> Result<Response> {
    let overview = site.use_cases.sweep(&sweep).await?.overview;
    let number = self::number(&sweep, &number)?;
    let details = site.use_cases.run(&sweep, number).await?;
    let explanation = site.use_cases.explain(&sweep, number).await?;
    let artifacts = artifacts(&site, &sweep, number).await?;
    let texts = texts(&site, &artifacts).await;
    let curves = curves_of(&site, &sweep, &details).await?;
    let run = &details.run;
    let name = format!("{sweep}/{number}");
    let content = html! {
        h1 { (name) " " (words::state(run.state)) @if details.set_aside { span.tag { "set aside" } } }
        (summary(run))
        (reasons(&explanation, &missing(&site, &sweep, number).await))
        (attempts(&details))
        @if !curves.is_empty() { section #curves { h2 { "Curves" } div.figures { @for (metric, svg) in &curves {
            figure {
                figcaption { (metric) }
                (curves::figure(&points(&sweep, number, metric, "json"), svg))
                (forms(&["SVG", "CSV"].map(|form| Form::File(form, points(&sweep, number, metric, &form.to_lowercase())))))
            }
        } } (Command::acai(&["metrics", &name]).shown(&[])) } }
        (scores(&sweep, &details))
        (gallery(&artifacts))
        (strings(&texts))
        (checkpoints(&details))
        (configuration(run))
        section { h2 { "Log" } (log::links(&sweep, number, &artifacts)) (Command::acai(&["logs", &name]).shown(&[])) }
        (happened(&explanation))
        (Command::acai(&["show", &name]).shown(&[]))
    };
    let frame = frame(&asked, &overview, &format!("#{number}"));
    Ok(document(&frame, &content).into_response())
}

/// A run's number, as a path has it.
pub(crate) fn number(sweep: &str, text: &str) -> Result<u32> {
    text.parse().map_err(|_| {
        Problem::not_found(format!(
            "`{text}` is no number of a run\nhint: the runs of {sweep} are numbered from 0"
        ))
    })
}

fn summary(run: &RunRecord) -> Markup {
    let share = if run.total_steps == 0 { 0.0 } else { 1000.0 * run.step as f64 / run.total_steps as f64 };
    html! {
        div.progress {
            svg.bar viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" aria-label="trained" {
                rect.track width="1000" height="8" {}
                rect class={ "fill-" (run.state) } width=(format!("{share:.1}")) height="8" {}
            }
            p {
                strong { (percent(run.step, run.total_steps)) } " trained: step " (run.step) " of " (run.total_steps)
                " · seed " (run.seed)
                @if let Some(worker) = &run.worker { " · " (if run.state == RunState::Running { "on " } else { "last on " }) (worker) }
                @if let Some(desired) = run.desired { " · to be " (desired.state()) }
            }
        }
        @if let Some(message) = &run.message { pre.warning { (message) } }
    }
}

/// That the bytes of a checkpoint are gone, if they are.
async fn missing(site: &Site, sweep: &str, number: u32) -> Option<String> {
    // That the place of blobs does not answer is no reason to show nothing.
    let missing = site.transfers.missing_checkpoint(sweep, number).await.ok().flatten()?;
    Some(explain::missing_checkpoint(missing.step, missing.left))
}

/// Why the run is where it is, and for a queued one what keeps each worker from it.
fn reasons(explanation: &Explanation, missing: &Option<String>) -> Markup {
    let Explanation { situation, workers, .. } = explanation;
    // That it is completed is said above.
    let reasons = if situation.state == RunState::Completed { Vec::new() } else { explain::run(situation) };
    html! {
        @if !reasons.is_empty() || missing.is_some() {
            section #why {
                h2 { "Why" }
                ul { @for reason in reasons.iter().chain(missing) { li { (reason) } } }
                @if situation.state == RunState::Queued && !workers.is_empty() {
                    table { tbody { @for (name, worker) in workers { tr {
                        th scope="row" { (name) }
                        td { (explain::worker(situation, worker).unwrap_or_else(|| "nothing keeps it from this run".to_owned())) }
                    } } } }
                }
            }
        }
    }
}

fn attempts(details: &RunDetails) -> Markup {
    let line = |attempt: &AttemptRecord| {
        html! {
            tr {
                td.value { (attempt.number) }
                td { (attempt.outcome.as_deref().unwrap_or("goes on")) }
                td { (attempt.worker) " " small { (hardware(&attempt.hardware)) } }
                td { time datetime=(rfc3339(attempt.started_ms)) { (utc(attempt.started_ms)) } }
                td.value { @if let Some(ended) = attempt.ended_ms { (lasted(attempt.started_ms, ended)) } }
                td.value { @if let Some(step) = attempt.step { (step) } }
                td { (words::first_line(attempt.message.as_deref().unwrap_or_default())) }
            }
        }
    };
    html! {
        @if !details.attempts.is_empty() { section #attempts {
            h2 { "Attempts" }
            div.scroll { table {
                thead { tr { @for name in ["attempt", "outcome", "worker", "from (UTC)", "for", "to step", "message"] { th scope="col" { (name) } } } }
                tbody { @for attempt in &details.attempts { (line(attempt)) } }
            } }
        } }
    }
}

/// A figure for each metric, scores first.
async fn curves_of(site: &Site, sweep: &str, details: &RunDetails) -> Result<Vec<(String, String)>> {
    let run = &details.run;
    let mut metrics = site.use_cases.metrics(sweep).await?;
    metrics.sort_by_key(|name| (!name.starts_with(acai_sweep::metric::EVALUATION), name.clone()));
    let mut figures = Vec::new();
    for metric in metrics {
        let request = CurveRequest {
            numbers: vec![run.number],
            metric: metric.clone(),
            from_step: 0,
            most: Some(POINTS),
        };
        let mut parts = site.use_cases.curves(sweep, request).await?;
        let mut points = Vec::new();
        while let Some(part) = parts.next().await {
            points.extend(part?.points);
        }
        // One point is a score, which the table has.
        if points.len() > 1 {
            let images_per_step = match run.configuration.get("batch") {
                Some(Scalar::Int(batch)) => u64::try_from(*batch).unwrap_or(1),
                _ => 1,
            };
            let group = CurveGroup {
                name: format!("#{}", run.number),
                images_per_step,
                seeds: vec![points],
                mean: Vec::new(),
            };
            let svg = curves::svg_of(&metric, vec![group], Spread::Population, Width::OneColumn);
            figures.push((metric, svg));
        }
    }
    Ok(figures)
}

/// Where a metric's points of the run are, in a form.
fn points(sweep: &str, number: u32, metric: &str, form: &str) -> String {
    let question = Question::default().with("metric", metric).and("where", &format!("number = {number}"));
    // A run may stand for several points of its sweep, which differ in parameters without effect: it is one line.
    let question = question.and("group-by", "model");
    link(&format!("{}/curves.{form}", of_sweep(sweep)), &question)
}

fn scores(sweep: &str, details: &RunDetails) -> Markup {
    html! {
        @if !details.summaries.is_empty() { section #scores {
            h2 { "Scores and losses" }
            div.scroll { table {
                thead { tr { th scope="col" { "metric" } @for name in ["last", "lowest", "highest", "mean"] { th.value scope="col" { (name) } } } }
                tbody { @for (name, summary) in &details.summaries { tr {
                    th scope="row" { (name) }
                    @for figure in [summary.last, summary.min, summary.max, summary.mean] { td.value { (value(figure)) } }
                } } }
            } }
            (forms(&[Form::File("CSV", format!("{}/scores.csv", of_run(sweep, details.run.number)))]))
        } }
    }
}

/// The scores as a file.
pub(crate) async fn scores_csv(
    State(site): State<Site>,
    Path((sweep, number)): Path<(String, String)>,
) -> Result<Response> {
    let number = self::number(&sweep, &number)?;
    let details = site.use_cases.run(&sweep, number).await?;
    let row = |(name, it): (&String, &Summary)| {
        [&[name.clone()][..], &[it.last, it.min, it.max, it.mean].map(|value| value.to_string())].concat()
    };
    let rows: Vec<Vec<String>> = details.summaries.iter().map(row).collect();
    downloads::rows(
        &format!("{sweep}-{number}-scores"),
        &["metric", "last", "lowest", "highest", "mean"],
        &rows,
    )
}

async fn artifacts(site: &Site, sweep: &str, number: u32) -> Result<Vec<ArtifactRecord>> {
    let mut stream = site.use_cases.artifacts(sweep, vec![number]).await?;
    let mut artifacts = Vec::new();
    while let Some(artifact) = stream.next().await {
        artifacts.push(artifact?);
    }
    Ok(artifacts)
}

/// The latest artifact of each name that is of this kind.
fn latest(artifacts: &[ArtifactRecord], is_of_kind: impl Fn(&str) -> bool) -> Vec<&ArtifactRecord> {
    let mut last: Vec<&ArtifactRecord> = Vec::new();
    for artifact in artifacts.iter().filter(|artifact| is_of_kind(&artifact.artifact.name)) {
        last.retain(|known| known.artifact.name != artifact.artifact.name);
        last.push(artifact);
    }
    last
}

/// The latest strings of each name, which runs on strings leave in the place of pictures. What is not kept any more is left out.
async fn texts<'a>(site: &Site, artifacts: &'a [ArtifactRecord]) -> Vec<(&'a ArtifactRecord, String)> {
    let mut texts = Vec::new();
    for artifact in latest(artifacts, |name| name.ends_with(".txt") && !log::is_log(name)) {
        if let Ok(text) = blob::read(site, &artifact.artifact.sha256).await {
            texts.push((artifact, String::from_utf8_lossy(&text).into_owned()));
        }
    }
    texts
}

fn strings(texts: &[(&ArtifactRecord, String)]) -> Markup {
    html! {
        @if !texts.is_empty() { section #strings { h2 { "Strings" } @for (it, text) in texts { details {
            summary { (it.artifact.name) ", step " (it.artifact.step) }
            pre.log tabindex="0" { (text) }
        } } } }
    }
}

/// The latest picture of each name.
fn gallery(artifacts: &[ArtifactRecord]) -> Markup {
    let last = latest(artifacts, film::is_picture);
    html! {
        @if !last.is_empty() { section #pictures { h2 { "Pictures" } div.gallery { @for it in last { figure {
            a href=(blob::path(&it.artifact.sha256)) {
                img src=(blob::path(&it.artifact.sha256)) loading="lazy" alt={ (it.artifact.name) " at step " (it.artifact.step) };
            }
            figcaption { (it.artifact.name) ", step " (it.artifact.step) }
        } } } } }
    }
}

fn checkpoints(details: &RunDetails) -> Markup {
    html! {
        @if !details.checkpoints.is_empty() { section #checkpoints { h2 { "Checkpoints" } ul { @for stored in &details.checkpoints { li {
            "step " (stored.checkpoint.step) ", " (bytes(stored.checkpoint.bytes)) ", of attempt " (stored.attempt)
            @if let Some(why) = &stored.rejected { ", taken out of use: " (why) }
            " " code.small { (stored.checkpoint.sha256.get(..12).unwrap_or_default()) }
        } } } } }
    }
}

fn configuration(run: &RunRecord) -> Markup {
    html! {
        section #configuration { h2 { "Configuration" } dl.columns {
            @for (name, value) in run.configuration.iter() { div { dt { (name) } dd { (acai_tables::value(value)) } } }
            div { dt { "seed" } dd { (run.seed) } }
        } }
    }
}

fn happened(explanation: &Explanation) -> Markup {
    html! {
        @if !explanation.events.is_empty() { section { h2 { "What happened last" } table.ledger { tbody {
            @for event in explanation.events.iter().rev() { tr {
                td { time datetime=(rfc3339(event.at_ms)) { (utc(event.at_ms)) } }
                td { (words::state(event.state)) }
                td { (words::first_line(event.message.as_deref().unwrap_or_default())) }
            } }
        } } } }
    }
}

/// The path of a run's log.
pub(crate) fn log_path(sweep: &str, number: u32, attempt: u32) -> String {
    format!("{}/log?attempt={attempt}", of_run(sweep, number))
}
