//! Commands that plan, submit and read.

use std::path::PathBuf;

use acai_sweep::file::Change;
use clap::{Args, ValueEnum};

use super::target::{Target, one_run, one_sweep};
use super::{Ask, Coordinator};
use crate::sorting::Sorting;

/// A sweep file, and what is to be otherwise than it says.
#[derive(Debug, Args)]
pub(crate) struct SweepFileArguments {
    /// The sweep file
    pub(crate) file: PathBuf,
    /// Give a key of the file another value, such as seeds=5, 'lambda=[0, 0.5]', checkpoint.every_kimg=8 or zip.0.batch=…;
    /// may be repeated. The file itself stays as it is
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub(crate) set: Vec<Change>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai plan demo.yaml                          what it asks for, as a table
  acai plan demo.yaml --format csv --all       a run a line
  acai plan demo.yaml --set seeds=1 --set 'lambda=[0, 0.5]'

Where the coordinator, or the state folder, knows completed runs of the same dataset, model and size, the plan ends with the
time and the disk that its runs will take, and which runs that was seen of.")]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) sweep: SweepFileArguments,
    /// Rows to show; all with --all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) rows: usize,
    /// Show every run
    #[arg(long, conflicts_with = "rows")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) at: Coordinator,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai submit demo.yaml --dry-run    what it would change, and change nothing
  acai submit demo.yaml --yes        also if runs with results are not in the file any more
  acai submit demo.yaml --set name=short --set total_kimg=16
                                     the file with other values, which is what is stored

Runs that the file does not ask for any more are set aside: kept, but not trained and in no table until a file
asks for them again. If any of them has results, that is asked first; in a script it is an error without --yes.

A new run that differs from an earlier run of the sweep in `total_kimg` alone, and is longer, goes on from that run's
last checkpoint. It ends with the same digits as a run that was as long from the start.")]
pub(crate) struct SubmitArguments {
    #[command(flatten)]
    pub(crate) sweep: SweepFileArguments,
    /// Only say what is new, kept and set aside
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Set runs aside that are not in the file any more, also those that have results
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai status demo                   where it is, why runs failed, and what is trained now
  acai status demo --watch           the same, again and again, until all runs have ended")]
pub(crate) struct StatusArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    /// Show it again whenever it changes, until no run waits or is trained
    #[arg(long, short)]
    pub(crate) watch: bool,
    /// The metric whose curves are shown [default: the one that sorts the sweep's tables]
    #[arg(long)]
    pub(crate) metric: Option<String>,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai runs demo --state failed,diverged
  acai runs demo --where 'lambda > 0 and seed in (0, 1)' --sort -seed
  acai runs demo --columns lambda,gamma,eval/mean_distance --sort mean_distance
                                     a metric's column has its last values, also of runs under way
  acai runs demo --set-aside         those that the sweep's file no longer asks for

Columns are run, state, seed, attempt, trained, step, total_steps, failures, worker, message, any parameter and any metric.")]
pub(crate) struct RunsArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    /// Only runs that this condition holds for, such as 'lambda > 0 and state != completed', as in `acai results`
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// Only runs in these states, such as failed,diverged
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub(crate) state: Vec<acai_sweep::run::RunState>,
    /// The runs that the sweep's file no longer asks for, instead of those that it asks for
    #[arg(long)]
    pub(crate) set_aside: bool,
    /// Which columns to show
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    #[command(flatten)]
    pub(crate) sort: SortArguments,
    #[command(flatten)]
    pub(crate) at: Coordinator,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai metrics demo/3                          every metric of one run: its last value, its extremes, its curve
  acai metrics demo --metric eval/mean_distance
                                               one metric of every run
  acai metrics demo --format csv > points.csv  every point, one a line, for pandas
  acai metrics demo --format parquet -o points.parquet
  acai metrics demo/3 --from-step 5000         what has come since

A curve that is thinned (--points) keeps its ends, and of each stretch the smallest and the largest value.")]
pub(crate) struct MetricsArguments {
    /// Sweeps and runs: SWEEP, SWEEP/NUMBER or SWEEP/FIRST-LAST
    #[arg(required = true, value_name = "SWEEP[/NUMBERS]")]
    pub(crate) targets: Vec<Target>,
    /// Metrics to show [default: every one that was reported]
    #[arg(long = "metric", value_name = "METRICS", value_delimiter = ',')]
    pub(crate) metrics: Vec<String>,
    /// Only points of this step or a later one
    #[arg(long, value_name = "STEP", default_value_t = 0)]
    pub(crate) from_step: u64,
    /// Thin each curve to this many points, 4 to 10000 [default: all, in CSV and JSON]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=10_000))]
    pub(crate) points: Option<u32>,
    #[command(flatten)]
    pub(crate) at: Coordinator,
    #[arg(long, value_enum, default_value_t)]
    format: MetricsFormat,
    /// As --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// File to write, with --format parquet
    #[arg(long, short, value_name = "FILE", required_if_eq("format", "parquet"))]
    pub(crate) output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) width: Width,
}

impl MetricsArguments {
    pub(crate) fn format(&self) -> MetricsFormat {
        if self.json { MetricsFormat::Json } else { self.format }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetricsFormat {
    /// For people
    #[default]
    Table,
    Csv,
    Json,
    /// Into a file, for pandas, polars and DuckDB
    Parquet,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai explain demo/3    what it waits for, and what each worker lacks for it")]
pub(crate) struct ExplainArguments {
    /// The run: SWEEP/NUMBER, as `acai runs SWEEP` shows it
    #[arg(value_name = "SWEEP/NUMBER", value_parser = one_run)]
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
  acai watch demo --after 12@1764412345678
                                     after event 12, if it is the one of that time (`unix_ms` in --json): in a
                                     database that was restored from a backup it may be another one

A watcher that is cut off goes on by itself from the last event that it has shown.")]
pub(crate) struct WatchArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    /// Show events after this one [default: only what is new]
    #[arg(long, value_name = "EVENT[@UNIX_MS]", value_parser = place)]
    pub(crate) after: Option<Place>,
    /// End where there is no more, instead of waiting
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) at: Coordinator,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    Csv,
    Json,
}

/// How an answer is shown.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// As --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    #[command(flatten)]
    pub(crate) width: Width,
}

/// How wide a table for people may be.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Width {
    /// Show every column of a table, also where the terminal is too narrow for them
    #[arg(long)]
    pub(crate) wide: bool,
}

/// In which order rows come.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SortArguments {
    /// Sort rows by this column, a parameter or a metric; `-lambda` has the largest first
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,
    /// The other way around
    #[arg(long, requires = "sort")]
    reverse: bool,
}

impl SortArguments {
    pub(crate) fn sorting(&self) -> Option<Sorting> {
        Some(Sorting::new(self.sort.as_deref()?, self.reverse))
    }
}

impl Shown {
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// A place in a sweep's list of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of the event.
    pub(crate) number: u64,
    /// When it happened, where that is known.
    pub(crate) unix_ms: Option<i64>,
}

fn place(text: &str) -> Result<Place, String> {
    let (number, unix_ms) = text.split_once('@').map_or((text, None), |(number, ms)| (number, Some(ms)));
    let mistake = |_| "it is not an event's number, like 12, or its number and time, like 12@1764412345678";
    let unix_ms = unix_ms.map(str::parse).transpose().map_err(mistake)?;
    Ok(Place { number: number.parse().map_err(mistake)?, unix_ms })
}
