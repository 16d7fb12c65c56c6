//! The command line as typed.

use std::path::PathBuf;
use std::time::Duration;

use acai_chaos::store_kind::StoreKind;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  acai-chaos                                      5 minutes of faults on SQLite
  acai-chaos --minutes 60 --seed 7                an hour of others
  acai-chaos --store postgres                     two coordinators on one Postgres
  acai-chaos --json > report.json

The same seed breaks the same things in the same order; when exactly they break depends on the machine.

Exit codes:
  0 every promise was kept   1 some were broken, or it could not be found out   2 wrong usage";

/// Breaks a real cluster by a seeded schedule, then proves from outside that nothing acknowledged was lost.
#[derive(Debug, Parser)]
#[command(name = "acai-chaos", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// How long things break; training the references and recovering come on top
    #[arg(long, value_name = "N", default_value = "5", value_parser = minutes)]
    pub(crate) minutes: Duration,
    /// Decides what breaks, and in which order
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The store under test
    #[arg(long, value_enum, default_value_t = StoreKind::Sqlite)]
    pub(crate) store: StoreKind,
    /// Folder of the references, which are kept, and of the sessions
    #[arg(long, value_name = "DIR", default_value = ".chaos")]
    pub(crate) work: PathBuf,
    /// Folder of the programs under test [default: the one of this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) programs: Option<PathBuf>,
    /// Without encryption and tokens: `acai coordinator --auth none`
    #[arg(long)]
    pub(crate) plain: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn minutes(text: &str) -> Result<Duration, String> {
    let minutes: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of minutes"))?;
    if !(0.1..=10_000.0).contains(&minutes) {
        return Err("must be from 0.1 to 10000 minutes".to_owned());
    }
    Ok(Duration::from_secs_f64(minutes * 60.0))
}
