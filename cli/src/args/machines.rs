//! Commands that serve and train.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use acai_coordinator::store::DatabaseUrl;
use acai_worker::GroupSize;
use clap::{Args, ValueEnum, value_parser};

use super::{Answering, Coordinator, ObservingArguments, SweepFileArguments, TableArguments};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai run sweeps/demo.yaml                          Ctrl-C at any time; the same command goes on from there
  acai run sweeps/demo.yaml --set seeds=1 --slots 2  the file with another value, two runs at a time
  acai run sweeps/demo.yaml --retry                  also the runs of it that did not complete before
  acai run sweeps/demo.yaml --format csv > demo.csv  its table as CSV, when it is trained")]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) sweep: SweepFileArguments,
    /// Set runs aside that are not in the file any more, also those that have results; otherwise that is asked first, and
    /// is an error where nobody can be asked
    #[arg(long)]
    pub(crate) yes: bool,
    /// Queue those of its runs again that are failed, lost or diverged; each goes on from its last checkpoint
    #[arg(long)]
    pub(crate) retry: bool,
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
    /// Runs of one shape that a trainer trains at a time, as one program: for GPUs, which one small run does not fill. When one
    /// of them has ended, the next queued run of the shape takes its place. `auto`: 1 on the CPU; on GPUs from 8 on twice as
    /// many as long as that pays and half of the memory is free, found out anew for each shape (not yet run on a GPU)
    #[arg(long, value_name = "K|auto", default_value = "1", value_parser = group_size)]
    pub(crate) group_size: GroupSize,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DeviceArgument {
    /// The GPUs if there are any, else the CPU
    Auto,
    Cpu,
    Gpu,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai coordinator --db sqlite:acai.db                       checkpoints in the folder acai.db.blobs
  acai coordinator --blobs /data/checkpoints
  AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=eu-central-1 \\
    acai coordinator --blobs s3://my-bucket/acai             for MinIO also AWS_ENDPOINT_URL, AWS_ALLOW_HTTP=true

  acai coordinator --listen 0.0.0.0:7700                     for workers on other machines

A coordinator that is killed loses nothing that it acknowledged; start it again on the same database.
Connections are encrypted, and need a token. The first start writes an access file with an admin's token
beside the database, and to ~/.config/acai/access.toml if there is none: so your own commands and workers
find it, also on other machines with the same home. `acai access create` makes files for others.

The same port serves a dashboard to browsers on this machine; `acai dashboard` opens it from any machine
that has an access file.")]
pub(crate) struct CoordinatorArguments {
    /// The database, created where missing: sqlite:FILE or postgres://USER@HOST/DATABASE; or memory: for a try-out of which
    /// nothing is left
    #[arg(long, value_name = "URL", default_value = "sqlite:acai.db")]
    pub(crate) db: DatabaseUrl,
    /// Where checkpoints are kept: a folder, made where missing, or a bucket; the same one for all coordinators of a
    /// Postgres, and to be named there [default: where the database remembers that they are, or else the file of an SQLite database with .blobs appended]
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX")]
    pub(crate) blobs: Option<String>,
    /// Make that place this database's own although another one, or a copy of this one, kept checkpoints there: it deletes
    /// what it does not need. Needed once, after a database was moved or restored
    #[arg(long)]
    pub(crate) take_blobs: bool,
    /// Address to listen on
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7700")]
    pub(crate) listen: SocketAddr,
    /// How others reach this coordinator, for access files [default: --listen, or this machine's name and its port]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// A further name by which browsers reach the dashboard, as through a proxy; may be given several times. Other names than
    /// these, the host of --url and this machine's own are refused
    #[arg(long, value_name = "NAME")]
    pub(crate) public_host: Vec<String>,
    /// Where to write an access file with an admin's token [default: beside an SQLite database, with .access appended]
    #[arg(long, value_name = "FILE")]
    pub(crate) access_file: Option<PathBuf>,
    /// A certificate of your own for the coordinator, with those that vouch for it, PEM [default: one of its own]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of that certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Whom to serve: the bearers of tokens, over TLS; or everybody, without encryption
    #[arg(long, value_enum, default_value_t = Authentication::Tokens)]
    pub(crate) auth: Authentication,
    /// With --auth none: listen beyond this machine all the same
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Sweeps that the bearers of one `submit` token may have, by who submitted each last; 0: as many as they like [default: 1000]
    #[arg(long, value_name = "N")]
    pub(crate) token_sweeps: Option<u64>,
    /// Runs of all these sweeps, those that were set aside too; 0: as many as they like [default: 1000000]
    #[arg(long, value_name = "N")]
    pub(crate) token_runs: Option<u64>,
    /// Gigabytes of the checkpoints and artifacts of these runs, beyond which nothing more is submitted; 0: as many as they
    /// like [default: 1000]
    #[arg(long, value_name = "N")]
    pub(crate) token_gigabytes: Option<u64>,
    /// How long a worker may be silent before its runs are given to others
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) lease: Duration,
    #[command(flatten)]
    pub(crate) observing: ObservingArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai dashboard                                       of the coordinator of your access file
  acai dashboard --coordinator .acai                   of what `acai run` trains here, or has trained
  acai dashboard --port 8800                           on another machine, with `ssh -L 8800:127.0.0.1:8800 THAT`

The pages are the coordinator's own. They come through this command, which knows its certificate and has your
token, so that the browser needs neither; whoever else is on this machine cannot open them.")]
pub(crate) struct DashboardArguments {
    #[command(flatten)]
    pub(crate) at: Coordinator,
    /// Port of this machine for the browser [default: a free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai worker --access worker.toml --slots 2     train for the coordinator of that access file, two runs at a time
  acai worker --threads 1 --idle-timeout 600     on cores that others use too; end after ten minutes without work

Ctrl-C or SIGTERM lets the trainers write checkpoints, gives the runs back and exits, within 25 seconds;
the same worker started again goes on from there. A second one, half a second later or more, exits at once,
and its trainers with it.

A worker that was killed, started again with the same --state, first delivers what its runs had reported
and gives them back. While the coordinator is away training goes on; when it is back, runs that it has
given to others meanwhile end at once. --outage only bounds the device time spent on such runs.

What a run leaves is in STATE/runs/SWEEP-NUMBER; run.json there says which run that is. What is left is its
last checkpoint, which is the trained model, and its pictures. They stay until you delete them, which you may at
any time when the run is not under way here; folders without either are removed when the worker starts.")]
pub(crate) struct WorkerArguments {
    /// Whom to train for: the coordinator of an access file, or one's address
    /// [default: what ACAI_ACCESS names, ~/.config/acai/access.toml]
    #[arg(long, visible_alias = "access", value_name = "FILE|URL", env = "ACAI_COORDINATOR")]
    pub(crate) coordinator: Option<Answering>,
    /// Name for people [default: the host's name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Folder of the checkpoints, the trained models and what is still to be reported; one worker's own
    #[arg(long, value_name = "DIR", default_value = ".acai")]
    pub(crate) state: PathBuf,
    /// Use the state folder although it is a copy of another worker's, or was moved here from another file system: what
    /// is trained is kept, runs under way are left to their leases. Needed once
    #[arg(long)]
    pub(crate) adopt: bool,
    #[command(flatten)]
    pub(crate) training: TrainingArguments,
    /// Train on `images:PATH` also where that leads out of --data: whoever may submit sweeps can then have pictures read that
    /// this user can read
    #[arg(long)]
    pub(crate) any_folder: bool,
    /// Train on for this long while the coordinator is away, at least as long as its leases last; a worker that is
    /// started again waits for it as long
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub(crate) outage: Duration,
    /// Exit after this long without work [default: wait for ever]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) idle_timeout: Option<Duration>,
    /// End after this long, like 4h, because somebody else ends the worker then: nothing is claimed in the last two minutes,
    /// and a minute before the end runs are given back
    #[arg(long, value_name = "DURATION", value_parser = time_limit)]
    pub(crate) time_limit: Option<Duration>,
    #[command(flatten)]
    pub(crate) observing: ObservingArguments,
}

fn time_limit(text: &str) -> Result<Duration, String> {
    let limit = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    match limit > acai_worker::TimeLimit::NO_MORE_CLAIMS {
        true => Ok(limit),
        false => Err("must be more than 2 minutes: in the last two a worker claims nothing".to_owned()),
    }
}

fn group_size(text: &str) -> Result<GroupSize, String> {
    if text == "auto" {
        return Ok(GroupSize::Auto);
    }
    match text.parse() {
        Ok(runs @ 1..=256) => Ok(GroupSize::Runs(runs)),
        _ => Err("must be a number from 1 to 256, or `auto`".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    if !(0.1..=86_400.0).contains(&seconds) {
        return Err("must be from 0.1 to 86400 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Whom a coordinator serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Authentication {
    /// The bearers of tokens, over TLS
    Tokens,
    /// Everybody, without encryption
    None,
}
