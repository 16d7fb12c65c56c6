//! One file a command.

mod access;
mod artifacts;
mod attempts;
mod backup;
mod complete;
mod control;
mod coordinator;
mod dashboard;
mod data;
mod doctor;
mod duty;
mod explain;
mod export;
mod fetch;
mod fleet;
mod forget;
mod import;
mod logs;
mod ls;
mod metrics;
mod plan;
mod plot;
mod results;
mod run;
mod runs;
mod show;
mod status;
mod submit;
mod warnings;
mod watch;
mod worker;
mod workers;

pub(crate) use complete::answer_shell;

use acai_proto::v1::WorkerDuty;
use acai_sweep::file::{self, ChangeError, SweepFile, SweepFileError};
use anyhow::Context;

use crate::args::{Arguments, Command, SweepFileArguments};
use crate::failure::Failure;
use crate::output::Output;

pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    match arguments.command {
        Command::Run(arguments) => run::run(arguments, *output).await,
        Command::Plan(arguments) => plan::plan(&arguments, *output).await,
        Command::Submit(arguments) => submit::submit(&arguments, *output).await,
        Command::Ls(arguments) => ls::ls(&arguments, *output).await,
        Command::Status(arguments) => status::status(&arguments, *output).await,
        Command::Runs(arguments) => runs::runs(arguments, *output).await,
        Command::Show(arguments) => show::show(arguments, *output).await,
        Command::Logs(arguments) => logs::logs(arguments, *output).await,
        Command::Fetch(arguments) => fetch::fetch(arguments, *output).await,
        Command::Results(arguments) => results::results(&arguments, *output).await,
        Command::Export(arguments) => export::export(arguments, *output).await,
        Command::Import(arguments) => import::import(arguments, *output).await,
        Command::Metrics(arguments) => metrics::metrics(arguments, *output).await,
        Command::Artifacts(arguments) => artifacts::artifacts(arguments.command, *output).await,
        Command::Plot(arguments) => plot::plot(arguments.command, *output).await,
        Command::Watch(arguments) => watch::watch(arguments, *output).await,
        Command::Explain(arguments) => explain::explain(arguments, *output).await,
        Command::Cancel(arguments) => control::cancel(arguments, *output).await,
        Command::Pause(arguments) => control::pause(arguments, *output).await,
        Command::Resume(arguments) => control::resume(arguments, *output).await,
        Command::Retry(arguments) => control::retry(arguments, *output).await,
        Command::Forget(arguments) => forget::forget(arguments, *output).await,
        Command::Set(arguments) => control::set(arguments, *output).await,
        Command::Cordon(arguments) => duty::set(arguments, WorkerDuty::Cordoned, *output).await,
        Command::Uncordon(arguments) => duty::set(arguments, WorkerDuty::Open, *output).await,
        Command::Drain(arguments) => duty::set(arguments, WorkerDuty::Drained, *output).await,
        Command::Workers(arguments) => workers::workers(&arguments, *output).await,
        Command::Data(arguments) => data::data(arguments.command, *output).await,
        Command::Doctor(arguments) => doctor::doctor(&arguments, *output).await,
        Command::Access(arguments) => access::access(arguments.command, *output).await,
        Command::Backup(arguments) => backup::backup(&arguments, *output).await,
        Command::Restore(arguments) => backup::restore(&arguments, *output).await,
        Command::Coordinator(arguments) => coordinator::coordinator(&arguments, *output).await,
        Command::Dashboard(arguments) => dashboard::dashboard(&arguments, *output).await,
        Command::Schema => schema(*output),
        Command::Completions { shell } => complete::completions(shell, *output),
        Command::Man { folder } => complete::man(&folder, *output),
        Command::Worker(arguments) => worker::worker(arguments).await,
        Command::Fleet(arguments) => fleet::fleet(arguments.command, *output).await,
    }
}

/// Prints what sweep files may have, for editors.
fn schema(output: Output) -> Result<(), Failure> {
    output.data(&format!("{:#}", file::schema()))?;
    Ok(())
}

/// A sweep file that has no mistakes, as text and as what it means.
struct Sweep {
    /// Of the file, as it was given.
    path: String,
    source: String,
    file: SweepFile,
}

/// Reads a sweep file, as changed by what was given beside it, and finds all its mistakes here, before anybody is asked anything.
fn read_sweep(arguments: &SweepFileArguments) -> Result<Sweep, Failure> {
    let path = arguments.file.display().to_string();
    let source =
        std::fs::read(&arguments.file).with_context(|| format!("cannot read the sweep file `{path}`"))?;
    if arguments.set.is_empty() {
        return parse(path, &source);
    }
    match file::changed(&path, &source, &arguments.set) {
        // Lines and columns are not the file's.
        Ok(changed) => parse(format!("{path} as changed by --set"), changed.as_bytes()),
        Err(ChangeError::File(mistakes)) => Err(refusal(&mistakes, &source)),
        Err(error @ ChangeError::Change { .. }) => Err(Failure::SweepFile(error.to_string())),
    }
}

fn parse(path: String, source: &[u8]) -> Result<Sweep, Failure> {
    let file = SweepFile::parse(&path, source).map_err(|mistakes| refusal(&mistakes, source))?;
    Ok(Sweep { path, source: String::from_utf8_lossy(source).into_owned(), file })
}

fn refusal(mistakes: &SweepFileError, source: &[u8]) -> Failure {
    Failure::SweepFile(mistakes.shown_in(&String::from_utf8_lossy(source)))
}
