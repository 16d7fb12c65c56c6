//! What is missing of a sweep, and why.

use acai_coordinator::use_cases::SweepStatus;
use acai_sweep::run::RunState;
use acai_sweep::spelling::counted;
use maud::{Markup, html};

use crate::asked::{of_run, of_sweep};
use crate::command::Command;
use crate::words;

pub(super) fn ledger(status: &SweepStatus) -> Markup {
    let overview = &status.sweep.overview;
    let open = overview.counts.iter().filter(|(state, _)| *state != RunState::Completed);
    let open: Vec<(RunState, u32)> = open.copied().collect();
    let is_whole = open.is_empty() && status.failures.is_empty();
    html! {
        @if is_whole { p { "Nothing: every run of the plan is completed." } }
        @if let Some(why) = &overview.paused {
            p.warning { "The sweep starts no runs: it is paused (" (why) ")." }
            (Command::acai(&["resume", &overview.name]).shown(&[]))
        }
        @if !status.waiting_for_datasets.is_empty() {
            p.warning {
                "Runs wait for a worker that can train on " (status.waiting_for_datasets.join(" or "))
                ": none is alive. " a href="workers" { "Workers" }
            }
        }
        @if overview.leaving > 0 {
            p { (overview.leaving) " runs have left the file, and end when their workers give them back." }
        }
        @if overview.replay_mismatches > 0 {
            p.warning {
                (counted(overview.replay_mismatches, "point"))
                " came out differently when trained again: on machines of another kind?"
            }
        }
        @if !open.is_empty() {
            table.ledger {
                tbody { @for (state, runs) in &open { tr {
                    td.value { (runs) }
                    td { a href={ (of_sweep(&overview.name)) "/runs?state=" (state) } { (words::state(*state)) } }
                    td { (means(*state)) }
                } } }
            }
        }
        @if !status.failures.is_empty() {
            h3 { "Runs that ended badly, or failed and go on" }
            table.ledger { tbody { @for run in &status.failures { tr {
                td { a href=(of_run(&overview.name, run.number)) { "#" (run.number) } }
                td { (words::state(run.state)) }
                td { (counted(run.failures, "failure")) }
                td { (words::first_line(run.message.as_deref().unwrap_or_default())) }
            } } } }
        }
    }
}

/// What a state means for the tables.
fn means(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "wait for a worker",
        RunState::Running => "are being trained",
        RunState::Paused => "are set aside by a person, until somebody resumes them",
        RunState::Completed => "are in the tables",
        RunState::Stopped => "were ended early by a rule of the sweep",
        RunState::Diverged => "came to a loss that is NaN or infinite; trained again, they would again",
        RunState::Failed => "ended by their own fault, more often than the sweep allows",
        RunState::Lost => "were given up, since machines that had them kept disappearing",
        RunState::Cancelled => "were ended by a person",
    }
}
