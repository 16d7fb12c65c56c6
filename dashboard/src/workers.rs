//! Workers: what each does, and why it takes no runs.

use std::collections::BTreeMap;

use acai_coordinator::store::{Duty, Overview, RunRecord};
use acai_coordinator::use_cases::{Machine, Which};
use acai_sweep::run::RunState;
use acai_sweep::spelling::counted;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::Value;
use tokio_stream::StreamExt as _;

use crate::asked::{Asked, of_run};
use crate::command::Command;
use crate::frame::{Frame, document};
use crate::live;
use crate::numbers::{bytes, percent, rfc3339, utc};
use crate::problem::Result;
use crate::site::Site;

/// Datasets of a worker that are named.
const NAMED: usize = 12;

/// Runs that workers hold, by the workers' names, with the names of their sweeps.
type Held = BTreeMap<String, Vec<(String, RunRecord)>>;

pub(crate) async fn page(State(site): State<Site>, asked: Asked) -> Result<Response> {
    let all = asked.question.get("all").is_some();
    let machines = site.use_cases.machines(all).await?;
    let sweeps = site.use_cases.sweeps().await?;
    let held = held(&site, &sweeps).await?;
    let alive = machines.iter().filter(|machine| machine.is_alive).count();
    let body = html! {
        h1 { "Workers" }
        p { (alive) " alive, holding " (counted(held.values().map(Vec::len).sum::<usize>() as u64, "run")) }
        @if machines.is_empty() {
            p.empty { "No worker has been heard of for a day." }
            (Command::acai(&["worker"]).shown(&[]))
        } @else {
            ul.cards data-rows { @for machine in &machines { li { (card(machine, &held)) } } }
            (Command::acai(&["workers"]).shown(&[]))
        }
        @if !all { p.small { a href="workers?all=1" { "Also those that have been silent for more than a day" } } }
    };
    Ok(document(&Frame::titled(&asked, "Workers").live(live::after_workers(&sweeps, &machines)), &body)
        .into_response())
}

async fn held(site: &Site, sweeps: &[Overview]) -> Result<Held> {
    let mut held = Held::new();
    for sweep in sweeps {
        if sweep.leaving == 0 && sweep.counts.iter().all(|(state, _)| *state != RunState::Running) {
            continue;
        }
        for which in [Which::Plan, Which::SetAside] {
            let mut runs = site.use_cases.runs(&sweep.name, vec![RunState::Running], which).await?;
            while let Some(run) = runs.next().await {
                let run = run?;
                let worker = run.worker.clone().unwrap_or_default();
                held.entry(worker).or_default().push((sweep.name.clone(), run));
            }
        }
    }
    Ok(held)
}

fn card(machine: &Machine, held: &Held) -> Markup {
    let worker = &machine.worker;
    let registration = &worker.registration;
    let runs = held.get(&registration.name).filter(|_| worker.running > 0);
    let (named, others) = registration.datasets.split_at(registration.datasets.len().min(NAMED));
    html! {
        article.card id={ "worker-" (registration.id) } {
            h2 { (registration.name) " " (state(machine)) }
            p { (counted(worker.running, "run")) " in " (counted(registration.slots, "slot")) " · " (hardware(&registration.hardware)) " · acai " (registration.version) }
            @if let Some(rest) = worker.rest.as_ref().filter(|_| machine.is_alive) {
                p.warning { (rest.slots) " of its slots rest: " (rest.reason) }
            }
            @if let Some(runs) = runs {
                ul.plain { @for (sweep, run) in runs {
                    li {
                        a href=(of_run(sweep, run.number)) { (sweep) "/" (run.number) }
                        " " (percent(run.step, run.total_steps))
                    }
                } }
            }
            p.small {
                "datasets: " (named.join(", "))
                @if !others.is_empty() { " and " (others.len()) " more" }
                " · last heard of " time datetime=(rfc3339(worker.last_seen_ms)) { (utc(worker.last_seen_ms)) }
            }
        }
    }
}

fn state(machine: &Machine) -> Markup {
    let worker = &machine.worker;
    let rests = worker.rest.as_ref().is_some_and(|rest| rest.slots >= worker.registration.slots);
    let (word, kind) = match (machine.is_alive, worker.duty) {
        _ if worker.ended => ("ended", "paused"),
        (false, _) => ("silent", "lost"),
        (true, Duty::Cordoned) => ("cordoned", "paused"),
        (true, Duty::Drained) => ("drained", "paused"),
        (true, Duty::Open) if rests => ("resting", "diverged"),
        (true, Duty::Open) => ("alive", "running"),
    };
    html! { span class={ "state state-" (kind) } { (word) } }
}

/// `16 cores, 64 GB, NVIDIA H200`, as far as it is known.
pub(crate) fn hardware(json: &str) -> String {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    let mut words = Vec::new();
    if let Some(cores) = value["cores"].as_u64() {
        words.push(format!("{cores} cores"));
    }
    if let Some(memory) = value["memory_bytes"].as_u64() {
        words.push(bytes(memory));
    }
    let gpus = value["gpus"].as_array().into_iter().flatten();
    words.extend(gpus.filter_map(|gpu| gpu["name"].as_str()).map(str::to_owned));
    words.join(", ")
}
