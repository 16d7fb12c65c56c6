//! The list of sweeps.

use acai_coordinator::store::Overview;
use acai_sweep::run::RunState;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::asked::{Asked, of_sweep};
use crate::command::Command;
use crate::frame::{Frame, document};
use crate::live;
use crate::numbers::{rfc3339, utc};
use crate::problem::Result;
use crate::site::Site;
use crate::sweep::progress;

pub(crate) async fn page(State(site): State<Site>, asked: Asked) -> Result<Response> {
    let sweeps = site.use_cases.sweeps().await?;
    let body = html! {
        h1 { "Sweeps" }
        @if sweeps.is_empty() {
            p.empty { "No sweep has been submitted yet." }
            (Command::acai(&["submit", "sweeps/demo.yaml"]).shown(&[]))
        } @else {
            ul.cards data-rows { @for sweep in &sweeps { li { (card(sweep)) } } }
            (Command::acai(&["ls"]).shown(&[]))
        }
    };
    let all = |states: &[RunState]| sweeps.iter().map(|sweep| progress::runs(sweep, states)).sum();
    let (done, of) = (all(&[RunState::Completed]), all(&RunState::ALL));
    let mut frame = Frame::titled(&asked, "Sweeps").live(live::after_sweeps(&sweeps));
    if of > 0 {
        frame = frame.done(done, of);
    }
    Ok(document(&frame, &body).into_response())
}

fn card(sweep: &Overview) -> Markup {
    html! {
        article.card {
            h2 { a href=(of_sweep(&sweep.name)) { (sweep.name) } }
            @if !sweep.description.is_empty() { p.description { (sweep.description) } }
            (progress::bar(sweep))
            p.small {
                @for tag in &sweep.tags { span.tag { (tag) } " " }
                "submitted " time datetime=(rfc3339(sweep.submitted_ms)) { (utc(sweep.submitted_ms)) }
                @if let Some(why) = &sweep.paused { " · paused: " (why) }
            }
        }
    }
}
