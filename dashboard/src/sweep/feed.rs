//! What has happened to a sweep's runs, the latest first.

use acai_coordinator::store::EventRecord;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::{frame, progress};
use crate::asked::{Asked, of_run, of_sweep};
use crate::command::Command;
use crate::frame::document;
use crate::numbers::{rfc3339, utc};
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::words;

/// Events of a page.
const SHOWN: u64 = 200;

pub(crate) async fn page(
    State(site): State<Site>,
    Path(sweep): Path<String>,
    asked: Asked,
) -> Result<Response> {
    let overview = site.use_cases.sweep(&sweep).await?.overview;
    let last = match asked.question.get("until") {
        Some(text) => text.parse().map_err(|_| Problem::question("until", "is the number of no event"))?,
        None => overview.last_event,
    };
    let from = last.saturating_sub(SHOWN).min(overview.last_event);
    let mut events = site.use_cases.events(&sweep, from.into(), false).await?;
    let mut shown: Vec<EventRecord> = Vec::new();
    while let Some(event) = events.next().await? {
        if event.number > last {
            break;
        }
        shown.push(event);
    }
    shown.reverse();
    let content = html! {
        h1 { "What happens" }
        (progress::bar(&overview))
        @if shown.is_empty() { p.empty { "Nothing has happened yet." } }
        @else {
            div.scroll { table data-rows {
                thead { tr {
                    @for name in ["event", "when (UTC)", "run", "state", "attempt", "worker", "message"] { th scope="col" { (name) } }
                } }
                tbody { @for event in &shown { (line(&sweep, event)) } }
            } }
        }
        @if from > 0 { p { a href={ (of_sweep(&sweep)) "/feed?until=" (from) } { "Earlier" } } }
        (Command::acai(&["watch", &sweep]).shown(&[]))
    };
    Ok(document(&frame(&asked, &overview, "Feed"), &content).into_response())
}

fn line(sweep: &str, event: &EventRecord) -> Markup {
    html! {
        tr id={ "event-" (event.number) } {
            td.value { (event.number) }
            td { time datetime=(rfc3339(event.at_ms)) { (utc(event.at_ms)) } }
            td { a href=(of_run(sweep, event.run_number)) { "#" (event.run_number) } }
            td { (words::state(event.state)) }
            td.value { @if event.attempt > 0 { (event.attempt) } }
            td { (event.worker.as_deref().unwrap_or_default()) }
            td { (words::first_line(event.message.as_deref().unwrap_or_default())) }
        }
    }
}
