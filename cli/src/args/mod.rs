//! The command line as typed.

mod access;
mod answering;
mod archive;
mod artifacts;
mod backup;
mod control;
mod data;
mod doctor;
pub(crate) mod environment;
mod fleet;
mod machines;
mod observing;
mod plot;
mod reading;
mod results;
mod runs;
mod target;

use clap::{Args, Parser, Subcommand};

pub(crate) use access::{
    AccessArguments, AccessCommand, CreateArguments, RefreshArguments, RevokeArguments, RotateCaArguments,
};
pub(crate) use answering::Answering;
pub(crate) use archive::{ExportArguments, ImportArguments};
pub(crate) use artifacts::{ArtifactsArguments, ArtifactsCommand, ChosenArtifacts, Step};
pub(crate) use backup::{BackupArguments, RestoreArguments};
pub(crate) use control::{
    DutyArguments, ForgetArguments, PauseArguments, RetryArguments, SelectionArguments, SetArguments,
};
pub(crate) use data::{DataArguments, DataCommand};
pub(crate) use doctor::DoctorArguments;
pub(crate) use fleet::{FleetArguments, FleetCommand, FleetFileArguments, UpArguments};
pub(crate) use machines::{
    Authentication, CoordinatorArguments, DashboardArguments, DeviceArgument, RunArguments,
    TrainingArguments, WorkerArguments,
};
pub(crate) use observing::{LogFormat, ObservingArguments};
pub(crate) use plot::{FigureArguments, PlotArguments, PlotCommand};
pub(crate) use reading::{
    ExplainArguments, Format, MetricsArguments, MetricsFormat, Place, PlanArguments, RunsArguments,
    StatusArguments, SubmitArguments, SweepFileArguments, WatchArguments, Width,
};
pub(crate) use results::{At, Pivot, ResultsArguments, SpreadArgument, TableArguments, TableFormat};
pub(crate) use runs::{FetchArguments, LogsArguments, ShowArguments, What};
pub(crate) use target::Target;

use control::{CANCEL_EXAMPLES, RESUME_EXAMPLES};

const EXAMPLES: &str = "\
Examples:
  acai run sweeps/demo.yaml            train a sweep on this machine and print its table
  acai plan sweeps/demo.yaml           show the runs that a file asks for

  acai coordinator --db sqlite:acai.db
  acai worker --slots 2
  acai submit sweeps/demo.yaml && acai status demo && acai results demo

Defaults of your own, in ~/.config/acai/config.toml:
  coordinator = 'https://host:7700'   data = '/data'   trainer = '/opt/acai/bin/acai-trainer'

Exit codes:
  0 done   1 error   2 wrong usage   3 mistakes in the sweep file   4 some runs diverged or failed
  run and worker, when stopped: 130 by Ctrl-C   143 by SIGTERM   129 by SIGHUP";

const SCHEMA_EXAMPLES: &str = "\
Examples:
  acai schema > acai.schema.json

An editor with a YAML language server reads that in a sweep file whose first line is
# yaml-language-server: $schema=acai.schema.json";

const LS_EXAMPLES: &str = "\
Examples:
  acai ls           every sweep, and how far it is
  acai ls --json    the same for programs";

const MAN_EXAMPLES: &str = "\
Examples:
  acai man -o man1    and then `man man1/acai-results.1`";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  acai completions bash > ~/.local/share/bash-completion/completions/acai
  acai completions zsh > ~/.zfunc/_acai
  acai completions fish > ~/.config/fish/completions/acai.fish";

/// Sweeps of interpolating autoencoders, from one YAML file to the paper's table.
#[derive(Debug, Parser)]
#[command(name = "acai", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a sweep on this machine and print its table; run it again to go on
    Run(RunArguments),
    /// Show the runs that a sweep file asks for, without running anything
    Plan(PlanArguments),
    /// Hand a sweep file to a coordinator; again to add what is missing
    Submit(SubmitArguments),
    /// List the sweeps
    #[command(after_help = LS_EXAMPLES)]
    Ls(List),
    /// Show one sweep: its progress and its failures
    Status(StatusArguments),
    /// List the runs of a sweep
    Runs(RunsArguments),
    /// Show all of one run: configuration, attempts, scores, checkpoints, and the command that trains it alone
    Show(ShowArguments),
    /// Print what a run's trainer has printed
    Logs(LogsArguments),
    /// Download what a run has left: its trained model, its pictures, or its logs
    Fetch(FetchArguments),
    /// Print the results table of a sweep: mean ± standard deviation over its seeds
    Results(ResultsArguments),
    /// Draw figures for papers, as SVG or PNG
    Plot(PlotArguments),
    /// Print the points of metrics: curves, for people and for pandas
    Metrics(MetricsArguments),
    /// Write everything of a sweep into a folder that needs no server
    Export(ExportArguments),
    /// Take over a sweep with its results from such a folder
    Import(ImportArguments),
    /// List and download the files that runs leave: pictures of what a model does
    Artifacts(ArtifactsArguments),
    /// Follow what happens to a sweep's runs
    Watch(WatchArguments),
    /// Say why a run is not running
    Explain(ExplainArguments),
    /// End runs for good
    #[command(after_help = CANCEL_EXAMPLES)]
    Cancel(SelectionArguments),
    /// Set runs, or a whole sweep, aside
    Pause(PauseArguments),
    /// Take a pause back
    #[command(after_help = RESUME_EXAMPLES)]
    Resume(SelectionArguments),
    /// Queue runs again that have ended badly
    Retry(RetryArguments),
    /// Change a sweep's priority, or how much of it runs at a time
    Set(SetArguments),
    /// Delete a sweep with all that it has
    Forget(ForgetArguments),
    /// List the workers that are there, or were today
    Workers(WorkersArguments),
    /// Give a worker no more runs
    Cordon(DutyArguments),
    /// Give a worker runs again
    Uncordon(DutyArguments),
    /// Give a worker no more runs, and have those that it has checkpoint and go elsewhere
    Drain(DutyArguments),
    /// Look after datasets: where they are expected, whether they are whole, and to get them
    Data(DataArguments),
    /// Say what is wrong on this machine for a worker, and what to do about it
    Doctor(DoctorArguments),
    /// Say who may do what at a coordinator
    Access(AccessArguments),
    /// Write an SQLite database as it is at this moment into a file, also while it is served
    Backup(BackupArguments),
    /// Put such a file in the place of a database
    Restore(RestoreArguments),
    /// Serve sweeps to people and runs to workers
    Coordinator(CoordinatorArguments),
    /// Open a coordinator's dashboard in a browser
    Dashboard(DashboardArguments),
    /// Train runs of a coordinator on this machine
    Worker(WorkerArguments),
    /// Start and end workers: jobs of Slurm, as many as there is work for; on machines that ssh reaches; or here
    Fleet(FleetArguments),
    /// Print a JSON Schema of sweep files, with which editors complete and check them
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema,
    /// Print a script with which a shell completes commands, options and the names of sweeps
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write pages for `man`, one for each command
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Folder for the pages
        #[arg(long = "output", short = 'o', value_name = "DIR", default_value = "man1")]
        folder: std::path::PathBuf,
    },
}

/// Who answers a command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Coordinator {
    /// Who answers: the coordinator of an access file; or a state folder of `acai run`, also after that has ended; or a
    /// coordinator's address [default: what ACAI_ACCESS names, .acai where there is one, ~/.config/acai/access.toml]
    #[arg(long, visible_alias = "access", value_name = "FILE|DIR|URL", env = "ACAI_COORDINATOR")]
    pub(crate) coordinator: Option<Answering>,
}

/// Whom a command asks, and how it shows a list.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) ask: Ask,
    #[command(flatten)]
    pub(crate) width: Width,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai workers          who trains what, and whose slots rest, with the reason
  acai workers --all    also those that are long gone")]
pub(crate) struct WorkersArguments {
    #[command(flatten)]
    pub(crate) list: List,
    /// Also those that have not been heard of for a day
    #[arg(long)]
    pub(crate) all: bool,
}

/// Whom a command asks, and how it shows the answer.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    #[command(flatten)]
    pub(crate) at: Coordinator,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
