//! `acai completions` and `acai man`: what shells and `man` know of the commands.

use std::path::Path;
use std::time::Duration;

use acai_proto::v1::ListSweepsRequest;
use anyhow::Context;
use clap::{Arg, Command, CommandFactory, FromArgMatches};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use crate::args::{Arguments, List, environment};
use crate::client::connect;
use crate::failure::Failure;
use crate::output::Output;
use crate::settings::Settings;

/// By this variable a shell says that it asks what could stand at the cursor.
const VARIABLE: &str = "ACAI_COMPLETE";

/// A shell waits no longer than this for the names of sweeps.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints the script with which a shell completes commands, options and the names of sweeps: it asks this program.
pub(super) fn completions(shell: Shell, output: Output) -> Result<(), Failure> {
    let shells = Shells::builtins();
    let shell = shell.to_string();
    let shell = shells.completer(&shell).with_context(|| format!("nothing completes for `{shell}`"))?;
    let mut script = Vec::new();
    let written = shell.write_registration(VARIABLE, "acai", "acai", "acai", &mut script);
    written.context("cannot write the script")?;
    output.part(&String::from_utf8_lossy(&script))?;
    Ok(())
}

/// Where a shell asks what could stand at the cursor, answers that and ends the process.
pub(crate) fn answer_shell() {
    CompleteEnv::with_factory(|| with_sweeps(Arguments::command())).var(VARIABLE).complete();
}

/// The command, where the sweeps that there are complete what names one.
fn with_sweeps(command: Command) -> Command {
    let complete = |argument: Arg| {
        let name =
            argument.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
        match name {
            "SWEEP" | "SWEEP[/NUMBERS]" => argument.add(ArgValueCandidates::new(|| candidates(""))),
            "SWEEP/NUMBER" => argument.add(ArgValueCandidates::new(|| candidates("/"))),
            _ => argument,
        }
    };
    command.mut_args(complete).mut_subcommands(with_sweeps)
}

/// The names of sweeps, and what follows each; none where nobody answers.
fn candidates(end: &str) -> Vec<CompletionCandidate> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let Ok(runtime) = runtime else { return Vec::new() };
    let names = runtime.block_on(async { tokio::time::timeout(PATIENCE, sweeps()).await });
    runtime.shutdown_background();
    let names = names.ok().and_then(Result::ok).unwrap_or_default();
    names.into_iter().map(|name| CompletionCandidate::new(format!("{name}{end}"))).collect()
}

/// The sweeps that `acai ls` would list.
async fn sweeps() -> anyhow::Result<Vec<String>> {
    let command = Settings::read()?.as_defaults_of(environment::command());
    let arguments = Arguments::from_arg_matches(&command.try_get_matches_from(["acai", "ls"])?)?;
    let crate::args::Command::Ls(List { ask, .. }) = arguments.command else { return Ok(Vec::new()) };
    let answer = connect(&ask.at).await?.list_sweeps(ListSweepsRequest {}).await?;
    Ok(answer.into_inner().sweeps.into_iter().map(|sweep| sweep.name).collect())
}

/// Writes a page for each command: `acai.1`, `acai-results.1`, …
pub(super) fn man(folder: &Path, output: Output) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let mut command = Arguments::command();
    command.build();
    let pages = write(&command, "acai", folder)?;
    output.note(&format!(
        "{pages} pages in {}: `man -l {}`",
        folder.display(),
        folder.join("acai.1").display()
    ));
    Ok(())
}

/// Writes the pages of a command and of those below it; answers how many.
fn write(command: &Command, name: &str, folder: &Path) -> anyhow::Result<usize> {
    let path = folder.join(format!("{name}.1"));
    let mut page = Vec::new();
    // A page is called by the command's whole name.
    let named = command.clone().name(name.to_owned()).display_name(name.to_owned());
    clap_mangen::Man::new(named).render(&mut page)?;
    std::fs::write(&path, page).with_context(|| format!("cannot write `{}`", path.display()))?;
    let mut pages = 1;
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        pages += write(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(pages)
}
