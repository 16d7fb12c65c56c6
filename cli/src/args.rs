//! The command line as typed.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum, value_parser};

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
    Ls(Ask),
    /// Show one sweep: its progress and its failures
    Status(StatusArguments),
    /// List the runs of a sweep
    Runs(RunsArguments),
    /// Print the results table of a sweep: mean ± standard deviation over its seeds
    Results(ResultsArguments),
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
    /// List the workers
    Workers(Ask),
    /// Give a worker no more runs
    Cordon(DutyArguments),
    /// Give a worker runs again
    Uncordon(DutyArguments),
    /// Give a worker no more runs, and have those that it has checkpoint and go elsewhere
    Drain(DutyArguments),
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
    /// Threads of each trainer on the CPU: 1 where others use the cores too [default: the cores divided by the slots].
    /// The last digits of results depend on it
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1024))]
    pub(crate) threads: Option<u32>,
    /// Runs of one shape that a trainer trains at a time, as one program: for GPUs, which one small run does not fill
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = value_parser!(u32).range(1..=256))]
    pub(crate) group_size: u32,
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

/// Whom a command asks, and how it shows the answer.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SubmitArguments {
    /// The sweep file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    /// Only runs in these states, such as failed,diverged
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub(crate) state: Vec<acai_sweep::run::RunState>,
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// A sweep, or one of its runs: `SWEEP` or `SWEEP/INDEX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) sweep: String,
    /// The run's place in the plan, as `acai runs` shows it.
    pub(crate) index: Option<u32>,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sweep, index) = match text.split_once('/') {
            None => (text, None),
            Some((sweep, index)) => {
                let number = index.strip_prefix('#').unwrap_or(index).parse();
                let number =
                    number.map_err(|_| format!("`{index}` is no run's index: write it like demo/3"))?;
                (sweep, Some(number))
            }
        };
        if sweep.is_empty() {
            return Err("the sweep's name is missing: write it like demo or demo/3".to_owned());
        }
        Ok(Target { sweep: sweep.to_owned(), index })
    }
}

/// A sweep, where a run would make no sense.
fn one_sweep(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        None => Ok(text.to_owned()),
        Some((sweep, _)) => {
            Err(format!("name a sweep, like {sweep}; `acai explain {text}` is about one run"))
        }
    }
}

/// A [`Target`] that is one run.
fn one_run(text: &str) -> Result<(String, u32), String> {
    let Target { sweep, index } = text.parse()?;
    let index = index.ok_or(format!("name one run, like {sweep}/3; `acai runs {sweep}` lists them"))?;
    Ok((sweep, index))
}

const CANCEL_EXAMPLES: &str = "\
Examples:
  acai cancel demo            every run of the sweep that has not ended
  acai cancel demo/3 demo/5   two of them

A run that a worker trains is asked with the worker's next renewal, within some ten seconds; it
checkpoints first. A run that completes before that is completed.";

const RESUME_EXAMPLES: &str = "\
Examples:
  acai resume demo            the sweep, and every run of it that was set aside by itself
  acai resume demo/3          one run that was set aside";

#[derive(Debug, Args)]
pub(crate) struct SelectionArguments {
    /// Sweeps and runs: SWEEP or SWEEP/INDEX
    #[arg(required = true, value_name = "SWEEP[/INDEX]")]
    pub(crate) targets: Vec<Target>,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai pause demo             start no more runs of it; those under way finish
  acai pause demo --now       those under way checkpoint and yield their devices
  acai pause demo/3           set one queued run aside

`acai resume demo` brings back all of them.")]
pub(crate) struct PauseArguments {
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Have runs under way checkpoint and yield, instead of letting them finish
    #[arg(long)]
    pub(crate) now: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai retry demo                          all that are failed, lost or diverged, from their checkpoints
  acai retry demo --state cancelled        those that a person ended
  acai retry demo/3 --from-scratch         one of them, forgetting its checkpoints")]
pub(crate) struct RetryArguments {
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Which of them [default: failed,lost,diverged]
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub(crate) state: Vec<acai_sweep::run::RunState>,
    /// Forget their checkpoints
    #[arg(long)]
    pub(crate) from_scratch: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("limits").required(true).multiple(true), after_help = "\
Examples:
  acai set demo --priority 10          before other sweeps
  acai set demo --max-concurrent 4     at most four of its runs at a time
  acai set demo --max-concurrent 0     as many as there is room for

Submitting the sweep's file again sets both to what the file says.")]
pub(crate) struct SetArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    /// Larger first
    #[arg(long, allow_negative_numbers = true, group = "limits")]
    pub(crate) priority: Option<i64>,
    /// Runs at a time; 0 for no limit
    #[arg(long, value_name = "RUNS", allow_negative_numbers = true, group = "limits")]
    pub(crate) max_concurrent: Option<u32>,
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The run: SWEEP/INDEX, as `acai runs SWEEP` shows it
    #[arg(value_name = "SWEEP/INDEX", value_parser = one_run)]
    pub(crate) run: (String, u32),
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai watch demo                    from now on
  acai watch demo --after 0          from the sweep's beginning
  acai watch demo --after 0 --once   what has happened so far

A watcher that is cut off goes on by itself from the last event that it has shown.")]
pub(crate) struct WatchArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    /// Show events after this number [default: only what is new]
    #[arg(long, value_name = "EVENT")]
    pub(crate) after: Option<u64>,
    /// End where there is no more, instead of waiting
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DutyArguments {
    /// The worker's name, as `acai workers` shows it
    pub(crate) worker: String,
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
}

#[derive(Debug, Args)]
pub(crate) struct ResultsArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    #[command(flatten)]
    pub(crate) table: TableArguments,
}

/// What a results table shows.
#[derive(Debug, Args)]
pub(crate) struct TableArguments {
    /// One row for each value of these parameters; `seed` makes each run a row [default: the file's report.group_by, or all that it sweeps]
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
Examples:
  acai coordinator --db sqlite:acai.db                       checkpoints in the folder acai.db.blobs
  acai coordinator --blobs /data/checkpoints
  AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=eu-central-1 \\
    acai coordinator --blobs s3://my-bucket/acai             for MinIO also AWS_ENDPOINT_URL, AWS_ALLOW_HTTP=true

A coordinator that is killed loses nothing that it acknowledged; start it again on the same database.
Everybody who reaches its address may submit and read. So it listens to this machine only, unless
--insecure says that the network is trusted.")]
pub(crate) struct CoordinatorArguments {
    /// The database, created where missing
    #[arg(long, value_name = "URL", default_value = "sqlite:acai.db")]
    pub(crate) db: String,
    /// Where checkpoints are kept: a folder, made where missing, or a bucket; the same one for all coordinators of a
    /// Postgres, and to be named there [default: the file of an SQLite database with .blobs appended]
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX")]
    pub(crate) blobs: Option<String>,
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
Ctrl-C or SIGTERM lets the trainers write checkpoints, gives the runs back and exits, within 25 seconds;
the same worker started again goes on from there. A second one exits at once, and its trainers with it.

A worker that was killed, started again with the same --state, first delivers what its runs had reported
and gives them back. While the coordinator is away training goes on; when it is back, runs that it has
given to others meanwhile end at once. --outage only bounds the device time spent on such runs.")]
pub(crate) struct WorkerArguments {
    #[command(flatten)]
    pub(crate) at: CoordinatorUrl,
    /// Name for people [default: the host's name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Folder of the checkpoints, the trained models and what is still to be reported; one worker's own
    #[arg(long, value_name = "DIR", default_value = ".acai")]
    pub(crate) state: PathBuf,
    #[command(flatten)]
    pub(crate) training: TrainingArguments,
    /// Train on for this long while the coordinator is away; at least as long as its leases last
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub(crate) outage: Duration,
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
