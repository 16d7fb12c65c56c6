//! What a run's trainer has printed.

use acai_coordinator::store::ArtifactRecord;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::{artifacts, log_path, number};
use crate::asked::{Asked, of_run};
use crate::blob;
use crate::command::Command;
use crate::frame::document;
use crate::problem::{Problem, Result};
use crate::site::Site;
use crate::sweep::frame;

/// Lines of a page: the last ones.
const SHOWN: usize = 2000;

/// Which attempt's output a file is, if it is any's: `log-ATTEMPT.txt`.
fn attempt_of(name: &str) -> Option<u32> {
    name.strip_prefix("log-")?.strip_suffix(".txt")?.parse().ok()
}

/// Whether a file is what an attempt has printed.
pub(super) fn is_log(name: &str) -> bool {
    attempt_of(name).is_some()
}

/// The latest log of each attempt, in their order.
fn logs(artifacts: &[ArtifactRecord]) -> Vec<(u32, &ArtifactRecord)> {
    let mut logs: Vec<(u32, &ArtifactRecord)> =
        artifacts.iter().filter_map(|it| Some((attempt_of(&it.artifact.name)?, it))).collect();
    logs.sort_by_key(|(attempt, it)| (*attempt, std::cmp::Reverse((it.artifact.step, it.added_ms))));
    logs.dedup_by_key(|(attempt, _)| *attempt);
    logs
}

pub(super) fn links(sweep: &str, number: u32, artifacts: &[ArtifactRecord]) -> Markup {
    let logs = logs(artifacts);
    html! {
        @if logs.is_empty() { p { "No attempt has handed in what it printed yet." } }
        @else { p { @for (attempt, _) in logs { a href=(log_path(sweep, number, attempt)) { "attempt " (attempt) } " " } } }
    }
}

pub(crate) async fn page(
    State(site): State<Site>,
    Path((sweep, number)): Path<(String, String)>,
    asked: Asked,
) -> Result<Response> {
    let overview = site.use_cases.sweep(&sweep).await?.overview;
    let number = self::number(&sweep, &number)?;
    let name = format!("{sweep}/{number}");
    let artifacts = artifacts(&site, &sweep, number).await?;
    let wanted = asked.question.get("attempt").map(str::parse::<u32>).transpose();
    let wanted = wanted.map_err(|_| Problem::question("attempt", "is no number"))?;
    let logs = logs(&artifacts);
    let log = logs.iter().rfind(|(attempt, _)| wanted.is_none_or(|wanted| wanted == *attempt));
    let (attempt, log) = log.ok_or_else(|| {
        Problem::not_found(format!(
            "{name} has no such log yet\nhint: a log arrives with each checkpoint, and at the end"
        ))
    })?;
    let text = blob::read(&site, &log.artifact.sha256).await?;
    let text = String::from_utf8_lossy(&text);
    let all = text.lines().count();
    let content = html! {
        h1 { "Log of " a href=(of_run(&sweep, number)) { (name) } ", attempt " (attempt) }
        @if all > SHOWN { p { "The last " (SHOWN) " of " (all) " lines." } }
        pre.log tabindex="0" { @for line in text.lines().skip(all.saturating_sub(SHOWN)) { (line) "\n" } }
        (Command::acai(&["logs", &name]).option("attempt", Some(&attempt.to_string())).shown(&[]))
    };
    Ok(document(&frame(&asked, &overview, &format!("log of #{number}")), &content).into_response())
}
