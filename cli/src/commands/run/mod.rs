//! `acai run`: a coordinator on a file, a worker on this machine, and the table at the end.
//!
//! Nothing here trains or remembers by itself: the same server and the same agent as in a cluster
//! talk over a port of the loopback interface.

mod machine;
mod progress;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use acai_proto::v1::{GetSweepRequest, GetSweepResponse, RetryRequest, RunState, Selection};
use acai_sweep::spelling::counted;
use anyhow::Context;
use tonic::{Code, Status};

use super::results::print_table;
use super::{Sweep, read_sweep, submit, workers};
use crate::args::RunArguments;
use crate::client::Client;
use crate::disk::free_bytes;
use crate::failure::Failure;
use crate::format::{count, in_a_line};
use crate::log;
use crate::output::Output;
use crate::signals::{Shutdown, StopSignal};
use machine::Machine;
use progress::Progress;

/// How often progress is looked up.
const POLL: Duration = Duration::from_millis(500);

const OPEN: [RunState; 2] = [RunState::Queued, RunState::Running];
const BAD: [RunState; 3] = [RunState::Diverged, RunState::Failed, RunState::Lost];

pub(super) async fn run(arguments: RunArguments, output: Output) -> Result<(), Failure> {
    let sweep = read_sweep(&arguments.sweep)?;
    machine::can_train(&sweep.file.plan, &arguments.training)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&arguments.state)
        .with_context(|| format!("cannot make the folder `{}`", arguments.state.display()))?;
    log::to_file(&arguments.state.join("log"))?;

    let shutdown = Shutdown::on_signal(move || {
        output.note("\nstopping: the trainers write checkpoints (Ctrl-C again to exit at once)");
    })?;
    let mut machine = Machine::start(&arguments.state, output).await?;
    let outcome = match train(&mut machine, &sweep, &arguments, &shutdown, output).await {
        Err(Failure::Error(error)) => Err(Failure::Error(machine.cause(error).await)),
        outcome => outcome,
    };
    machine.stop().await;
    outcome
}

async fn train(
    machine: &mut Machine,
    sweep: &Sweep,
    arguments: &RunArguments,
    shutdown: &Shutdown,
    output: Output,
) -> Result<(), Failure> {
    let name = &sweep.file.name;
    let submitted = submit::hand_in(&mut machine.client, &sweep.source, arguments.yes, output).await?;
    let whole = Selection { sweep: name.clone(), numbers: Vec::new() };
    if arguments.retry {
        let request = RetryRequest { runs: Some(whole.clone()), ..RetryRequest::default() };
        let again = machine.control().await?.retry_runs(request).await?.into_inner();
        if again.changed > 0 {
            output.note(&format!("{} queued again", counted(again.changed, "run")));
        }
    }
    let mut status = fetch(&mut machine.client, name).await?;
    if open(&status) > 0 {
        if is_paused(&status) {
            // Whoever runs it wants it to go on.
            machine.control().await?.resume_runs(whole).await?;
            status = fetch(&mut machine.client, name).await?;
        }
        output.note(&submit::describe(&submitted));
        output.note(&format!("dashboard: {}", machine.dashboard));
        machine.start_worker(&arguments.state, &arguments.training);
        let progress = Progress::new(&status, output);
        let progress = follow(machine, name, status, &arguments.state, shutdown, progress).await?;
        machine.stop_worker().await?;
        progress.finish();
        status = fetch(&mut machine.client, name).await?;
    }
    is_done(&status, name, shutdown)?;
    print_table(&mut machine.client, std::slice::from_ref(name), &arguments.table, output).await?;
    name_pictures(&arguments.state, name, output);
    match count(counts(&status), &BAD) {
        0 => Ok(()),
        bad => {
            for run in &status.failures {
                let (state, why) = (crate::format::state(run.state), in_a_line(&run.message));
                output.note(&format!("#{} {state}: {why}", run.number));
            }
            let are = if bad == 1 { "is" } else { "are" };
            // What diverged would diverge again.
            let hint = match count(counts(&status), &[RunState::Failed, RunState::Lost]) {
                0 => "",
                _ if arguments.retry => "",
                1 => "\nhint: the same command with `--retry` trains the failed one again",
                _ => "\nhint: the same command with `--retry` trains the failed ones again",
            };
            Err(Failure::Runs(format!(
                "{} did not complete and {are} not in the table{hint}",
                counted(bad, "run")
            )))
        }
    }
}

/// Shows how far the sweep is, and when the disk of the folder of its files gets full, until nothing of it is left to be trained,
/// it is at rest, or somebody stops the program.
async fn follow(
    machine: &mut Machine,
    name: &str,
    mut status: GetSweepResponse,
    folder: &Path,
    shutdown: &Shutdown,
    mut progress: Progress,
) -> Result<Progress, Failure> {
    while open(&status) > 0 && !shutdown.is_requested() && !is_at_rest(&status) {
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = shutdown.wait() => {}
            ended = machine.worker_ended() => ended?,
        }
        let here = folder.to_owned();
        if let Ok(Ok(free)) = tokio::task::spawn_blocking(move || free_bytes(&here)).await {
            progress.show_room(free, folder);
        }
        let Some((now, rest)) = look(machine, name).await? else { continue };
        status = now;
        progress.show(&status);
        progress.show_rest(rest);
    }
    Ok(progress)
}

/// Whether all runs have ended; if not, the error says why, and how to go on.
fn is_done(status: &GetSweepResponse, name: &str, shutdown: &Shutdown) -> Result<(), Failure> {
    if is_at_rest(status) && !shutdown.is_requested() {
        let paused = status.sweep.as_ref().map(|sweep| sweep.paused.as_str()).unwrap_or_default();
        return Err(Failure::Runs(format!(
            "{name} is paused: {paused}\nhint: run the same command to go on"
        )));
    }
    if open(status) > 0 {
        let completed = count(counts(status), &[RunState::Completed]);
        let runs: u32 = counts(status).iter().map(|count| count.runs).sum();
        let signal = shutdown.signal().unwrap_or(StopSignal::Interrupt);
        let summary =
            format!("stopped with {completed} of {runs} runs completed; run the same command to go on");
        return Err(Failure::Interrupted(signal, summary));
    }
    Ok(())
}

/// Says where the pictures are that trainers drew on this machine.
fn name_pictures(state: &Path, sweep: &str, output: Output) {
    let mut folders = acai_worker::picture_folders(state, sweep).unwrap_or_default();
    folders.sort();
    match folders.as_slice() {
        [] => {}
        [folder] => output.note(&format!("\npictures: {}", folder.display())),
        [first, others @ ..] => {
            output.note(&format!(
                "\npictures: {}, and of {} beside that one",
                first.display(),
                counted(others.len() as u64, "other run")
            ));
        }
    }
}

/// How far the sweep is, and why slots of the worker rest; `None` if the coordinator, which runs in this process, has no time
/// to answer on a busy machine or disk: training goes on meanwhile.
async fn look(
    machine: &mut Machine,
    sweep: &str,
) -> Result<Option<(GetSweepResponse, Option<String>)>, Failure> {
    let asked = async |client: &mut Client| {
        let status = client.get_sweep(GetSweepRequest { sweep: sweep.to_owned() }).await?.into_inner();
        let workers = workers::list(client, false).await?;
        let resting = workers.into_iter().filter(|worker| worker.alive).find_map(|worker| worker.rest);
        Ok::<_, Status>((status, resting.map(|rest| rest.reason)))
    };
    match asked(&mut machine.client).await {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if is_late(&status) && machine.has_coordinator() => {
            tracing::warn!("the coordinator does not answer in time: {status}");
            Ok(None)
        }
        Err(status) => Err(status.into()),
    }
}

fn is_late(status: &Status) -> bool {
    matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled | Code::Unavailable)
}

async fn fetch(client: &mut Client, sweep: &str) -> Result<GetSweepResponse, Failure> {
    Ok(client.get_sweep(GetSweepRequest { sweep: sweep.to_owned() }).await?.into_inner())
}

fn counts(status: &GetSweepResponse) -> &[acai_proto::v1::StateCount] {
    status.sweep.as_ref().map_or(&[], |sweep| &sweep.counts)
}

fn is_paused(status: &GetSweepResponse) -> bool {
    status.sweep.as_ref().is_some_and(|sweep| !sweep.paused.is_empty())
}

/// Whether nothing runs, and nothing will.
fn is_at_rest(status: &GetSweepResponse) -> bool {
    is_paused(status) && open(status) > 0 && count(counts(status), &[RunState::Running]) == 0
}

/// Runs that are still to be trained.
fn open(status: &GetSweepResponse) -> u32 {
    count(counts(status), &OPEN)
}
