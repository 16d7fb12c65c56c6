//! The runs of a sweep, in the order of its plan.

use acai_coordinator::store::RunRecord;
use acai_coordinator::use_cases::Which;
use acai_sweep::filter::{Fields, Filter, NUMBER, STATE};
use acai_sweep::results::SEED;
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;
use acai_sweep::spelling::counted;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tokio_stream::StreamExt as _;

use super::{controls, downloads, frame, progress};
use crate::asked::{Asked, link, of_run, of_sweep};
use crate::command::{Command, Form};
use crate::frame::document;
use crate::numbers::percent;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::words;

/// Asks for runs that the file no longer has.
const SET_ASIDE: &str = "set-aside";
/// Runs of a page.
const SHOWN: usize = 200;

/// A run as a condition sees it.
struct Listed<'r>(&'r RunRecord);

impl Fields for Listed<'_> {
    fn field(&self, name: &str) -> Option<Scalar> {
        match name {
            STATE => Some(Scalar::from(self.0.state.as_str())),
            NUMBER => Some(Scalar::Int(self.0.number.into())),
            SEED => Some(Scalar::Int(i64::try_from(self.0.seed).unwrap_or(i64::MAX))),
            name => self.0.configuration.get(name).cloned(),
        }
    }
}

pub(crate) async fn page(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let overview = site.use_cases.sweep(&sweep).await?.overview;
    let all = asked_for(&site, &sweep, &asked).await?;
    let from = match asked.question.get("from") {
        Some(text) => text.parse().map_err(|_| Problem::question("from", "is no place in the list"))?,
        None => 0,
    };
    let shown = &all[from.min(all.len())..(from + SHOWN).min(all.len()).max(from.min(all.len()))];
    let states: Vec<String> = RunState::ALL.iter().map(ToString::to_string).collect();
    let content = html! {
        h1 { "Runs" }
        (progress::bar(&overview))
        form.controls #controls action=(asked.path) aria-label="What is shown" {
            (controls::choice("State", "state", asked.question.get("state"), &states, Some("any")))
            label.wide { "Runs for which"
                input type="search" name="where" value=[asked.question.get("where")]
                    placeholder="lambda > 0 and seed = 0" spellcheck="false" autocomplete="off";
            }
            label { input type="checkbox" name=(SET_ASIDE) value="1" checked[asked.question.get(SET_ASIDE).is_some()]; " set aside" }
            button { "Show" }
        }
        p { (counted(all.len() as u64, "run")) @if shown.len() < all.len() { ", " (from + 1) " to " (from + shown.len()) " of them" } }
        @if !shown.is_empty() { (table(&sweep, shown, &varying(&all))) }
        p.pages {
            @if from > 0 { a href=(asked.with("from", &from.saturating_sub(SHOWN).to_string())) { "← earlier" } " " }
            @if from + SHOWN < all.len() { a href=(asked.with("from", &(from + SHOWN).to_string())) { "later →" } }
        }
        (Command::acai(&["runs", &sweep])
            .option("state", asked.question.get("state"))
            .option("where", asked.question.get("where"))
            .shown(&[Form::File("CSV", link(&format!("{}/runs.csv", of_sweep(&sweep)), &asked.question))]))
    };
    Ok(document(&frame(&asked, &overview, "Runs"), &content).into_response())
}

/// The runs as a file, with all their parameters.
pub(crate) async fn csv(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let runs = asked_for(&site, &sweep, &asked).await?;
    let parameters = parameters(&runs);
    let own = ["seed", "attempt", "step", "total_steps", "worker", "message"];
    let headings = [&["run", "state"], &parameters[..], &own].concat();
    let row = |run: &RunRecord| {
        let value = |name: &&str| run.configuration.get(name).map(acai_tables::value).unwrap_or_default();
        let mut row = vec![run.number.to_string(), run.state.to_string()];
        row.extend(parameters.iter().map(value));
        row.extend(
            [run.seed, run.attempt.into(), run.step, run.total_steps].map(|number| number.to_string()),
        );
        row.extend([&run.worker, &run.message].map(|text| text.clone().unwrap_or_default()));
        row
    };
    downloads::rows(&format!("{sweep}-runs"), &headings, &runs.iter().map(row).collect::<Vec<_>>())
}

/// The runs that the question is about.
async fn asked_for(site: &Site, sweep: &str, asked: &Asked) -> Result<Vec<RunRecord>> {
    let question = &asked.question;
    let state = question.get("state").map(str::parse::<RunState>).transpose();
    let state = state.map_err(|error| Problem::question("state", format!("is wrong: {error}")))?;
    let which = if question.get(SET_ASIDE).is_some() { Which::SetAside } else { Which::Plan };
    let condition = question.get("where");
    let mut stream = site.use_cases.runs(sweep, state.into_iter().collect(), which).await?;
    let mut runs: Vec<RunRecord> = Vec::new();
    while let Some(run) = stream.next().await {
        runs.push(run?);
    }
    let Some(text) = condition else { return Ok(runs) };
    let own: Vec<String> =
        runs.first().map(|run| run.configuration.own().keys().cloned().collect()).unwrap_or_default();
    let filter = Filter::parse(text, &own)
        .map_err(|mistake| Problem::question("where", format!("makes no sense: {mistake}")))?;
    runs.retain(|run| filter.matches(&Listed(run)));
    Ok(runs)
}

/// The parameters in which the runs differ, also where one has none.
fn varying(runs: &[RunRecord]) -> Vec<&str> {
    let Some(first) = runs.first() else { return Vec::new() };
    let varies =
        |name: &&str| runs.iter().any(|run| run.configuration.get(name) != first.configuration.get(name));
    parameters(runs).into_iter().filter(varies).collect()
}

/// The parameters that any of the runs has, in the order of the first that has them.
fn parameters(runs: &[RunRecord]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in runs.iter().flat_map(|run| run.configuration.iter()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

pub(super) fn table(sweep: &str, runs: &[RunRecord], varying: &[&str]) -> Markup {
    html! {
        div.scroll { table data-rows {
            thead { tr {
                th scope="col" { "run" } th scope="col" { "state" }
                @for name in varying { th.value scope="col" { (words::parameter(name)) } }
                @for name in ["seed", "trained", "attempt"] { th.value scope="col" { (name) } }
                @for name in ["worker", "message"] { th scope="col" { (name) } }
            } }
            tbody { @for run in runs { tr id={ "run-" (run.number) } {
                td { a href=(of_run(sweep, run.number)) { "#" (run.number) } }
                td { (words::state(run.state)) }
                @for name in varying { td.value { (run.configuration.get(name).map(acai_tables::value).unwrap_or_default()) } }
                td.value { (run.seed) }
                td.value { (percent(run.step, run.total_steps)) }
                td.value { @if run.attempt > 0 { (run.attempt) } }
                td { (run.worker.as_deref().unwrap_or_default()) }
                td { (words::first_line(run.message.as_deref().unwrap_or_default())) }
            } } }
        } }
    }
}
