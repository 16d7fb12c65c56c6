//! The command line as typed.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  acai run sweeps/demo.yaml            train a sweep on this machine and print its table
  acai plan sweeps/demo.yaml           show the runs that a file asks for

  acai coordinator --db sqlite:acai.db --listen 127.0.0.1:7700
  acai worker --coordinator http://127.0.0.1:7700 --slots 2
  acai submit sweeps/demo.yaml && acai status demo && acai results demo

Exit codes:
  0 done   1 error   2 wrong usage   3 mistakes in the sweep file   4 some runs diverged or failed   130 interrupted";

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
    Ls(ListArguments),
    /// Show one sweep: its progress and its failures
    Status(StatusArguments),
    /// List the runs of a sweep
    Runs(RunsArguments),
    /// Print the results table of a sweep: mean ± standard deviation over its seeds
    Results(ResultsArguments),
    /// List the workers
    Workers(ListArguments),
    /// Look after datasets: where they are expected, whether they are whole, and to get them
    Data(DataArguments),
    /// Serve sweeps to people and runs to workers
    Coordinator(CoordinatorArguments),
    /// Train runs of a coordinator on this machine
    Worker(WorkerArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The sweep file
    pub(crate) file: PathBuf,
    /// Folder of the database, the checkpoints and the log
    #[arg(long, value_name = "DIR", default_value = ".acai")]
    pub(crate) state: PathBuf,
    #[command(flatten)]
    pub(crate) training: TrainingArguments,
    #[command(flatten)]
    pub(crate) table: TableArguments,
}

/// How this machine trains.
#[derive(Debug, Clone, Args)]
pub(crate) struct TrainingArguments {
    /// Trainer processes at a time [default: one for each GPU, or for each core]
    #[arg(long, value_name = "N")]
    pub(crate) slots: Option<NonZeroU32>,
    /// What to train on
    #[arg(long, value_enum, default_value_t = DeviceArgument::Auto)]
    pub(crate) device: DeviceArgument,
    /// Folder of the datasets that are files; `acai data ls` shows where in it
    #[arg(long, value_name = "DIR", env = "ACAI_DATA", default_value = "data")]
    pub(crate) data: PathBuf,
    /// The trainer program [default: acai-trainer beside acai, then on PATH]
    #[arg(long, value_name = "FILE", env = "ACAI_TRAINER")]
    pub(crate) trainer: Option<PathBuf>,
}

const DATA_EXAMPLES: &str = "\
Examples:
  acai data ls                          every dataset, where it is expected, whether it is there
  acai data fetch mnist32               from its publisher, with resume and checksum
  acai data fetch mnist32 --mirror http://mirror.example/acai
  acai data check images:faces          reads every picture of the folder DIR/faces";

#[derive(Debug, Args)]
#[command(after_help = DATA_EXAMPLES)]
pub(crate) struct DataArguments {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// List the datasets
    Ls {
        #[command(flatten)]
        folder: DataFolder,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Read all of a dataset; say what is wrong with it
    Check {
        /// A dataset's name, or images:PATH
        dataset: String,
        #[command(flatten)]
        folder: DataFolder,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download a dataset; again to go on after an interruption
    Fetch {
        /// A dataset's name
        dataset: String,
        #[command(flatten)]
        folder: DataFolder,
        /// Take files from URL/PATH instead, PATH being where they belong below the data folder
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DataFolder {
    /// The data folder
    #[arg(long, value_name = "DIR", env = "ACAI_DATA", default_value = "data")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DeviceArgument {
    /// The GPUs if there are any, else the CPU
    Auto,
    Cpu,
    Gpu,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The sweep file
    pub(crate) file: PathBuf,
    /// Rows to show; all with --all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) rows: usize,
    /// Show every run
    #[arg(long, conflicts_with = "rows")]
    pub(crate) all: bool,
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct CoordinatorUrl {
    /// Address of the coordinator
    #[arg(long, value_name = "URL", env = "ACAI_COORDINATOR", default_value = "http://127.0.0.1:7700")]
    pub(crate) coordinator: String,
}

#[derive(Debug, Args)]
pub(crate) struct SubmitArguments {
    /// The sweep file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The sweep's name
    pub(crate) sweep: String,
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArguments {
    /// The sweep's name
    pub(crate) sweep: String,
    /// Only runs in these states, such as failed,diverged
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub(crate) state: Vec<acai_sweep::run::RunState>,
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ResultsArguments {
    /// The sweep's name
    pub(crate) sweep: String,
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    #[command(flatten)]
    pub(crate) table: TableArguments,
}

/// What a results table shows.
#[derive(Debug, Args)]
pub(crate) struct TableArguments {
    /// One row for each value of these parameters [default: the file's report.group_by, or all that it sweeps]
    #[arg(long, value_name = "PARAMETERS", value_delimiter = ',')]
    pub(crate) group_by: Vec<String>,
    /// Metrics to show; the first one sorts. `:min` or `:max` after a name says which end is best
    /// [default: the file's metric, then every eval/ metric]
    #[arg(long = "metric", value_name = "METRICS", value_delimiter = ',')]
    pub(crate) metrics: Vec<String>,
    /// Which value of each run counts
    #[arg(long, value_enum, default_value_t = At::Last)]
    pub(crate) at: At,
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum At {
    Last,
    Min,
    Max,
    Mean,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    Csv,
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A coordinator that is killed loses nothing that it acknowledged; start it again on the same database.
Everybody who reaches its address may submit and read. So it listens to this machine only, unless
--insecure says that the network is trusted.")]
pub(crate) struct CoordinatorArguments {
    /// The database, created where missing
    #[arg(long, value_name = "URL", default_value = "sqlite:acai.db")]
    pub(crate) db: String,
    /// Address to listen on
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7700")]
    pub(crate) listen: SocketAddr,
    /// Listen beyond this machine although neither encryption nor passwords protect the connection
    #[arg(long)]
    pub(crate) insecure: bool,
    /// How long a worker may be silent before its runs are given to others
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) lease: Duration,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Ctrl-C or SIGTERM lets the trainers write checkpoints, gives the runs back and exits; the same worker
started again goes on from there. A second one exits at once.")]
pub(crate) struct WorkerArguments {
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    /// Name for people [default: the host's name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Folder of the checkpoints and trained models
    #[arg(long, value_name = "DIR", default_value = ".acai")]
    pub(crate) state: PathBuf,
    #[command(flatten)]
    pub(crate) training: TrainingArguments,
    /// Exit after this long without work [default: wait for ever]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) idle_timeout: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    if !(0.1..=86_400.0).contains(&seconds) {
        return Err("must be from 0.1 to 86400 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}
