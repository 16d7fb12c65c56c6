//! Simulates seeds.

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use acai_simulation::{Found, Search, simulate, simulate_seeds};
use clap::Parser;

/// Simulates agents and coordinator, each seed another cluster with other faults, and tells of the seeds that break a
/// promise with the fewest faults that do.
#[derive(Debug, Parser)]
#[command(name = "acai-simulate", version)]
struct Arguments {
    /// The seeds: from the first to before the last
    #[arg(long, value_name = "FIRST..LAST", default_value = "0..100", value_parser = seeds)]
    seeds: Range<u64>,
    /// How many at a time [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Folder for the logs of seeds that break a promise
    #[arg(long, value_name = "DIR", default_value = "target/simulated")]
    logs: PathBuf,
    /// So many processes at the most to find the fewest faults of a seed that breaks a promise
    #[arg(long, value_name = "N", default_value_t = 80)]
    tries: usize,
    /// Begin no seed any more once one has broken a promise
    #[arg(long)]
    first: bool,
    /// Begin no seed any more after so many seconds
    #[arg(long, value_name = "SECONDS")]
    within: Option<u64>,
    /// This seed alone, in this process and the current folder, which is empty; and tell all that happens
    #[arg(long, value_name = "SEED", conflicts_with = "seeds")]
    one: Option<u64>,
    /// Without the faults at these places of the seed's plan
    #[arg(long, value_name = "N,…", value_delimiter = ',', requires = "one")]
    without: Vec<usize>,
    /// What is logged of the programs
    #[arg(long, default_value = "info", requires = "one")]
    log: String,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let parsed =
        text.split_once("..").and_then(|(first, last)| Some(first.parse().ok()?..last.parse().ok()?));
    parsed.ok_or_else(|| format!("`{text}` is no range of seeds; write it like 0..100"))
}

#[allow(clippy::print_stdout, reason = "whoever starts the program reads it there")]
fn main() -> anyhow::Result<ExitCode> {
    let Arguments { seeds, jobs, tries, first, within, logs, one, without, log } = Arguments::parse();
    if let Some(seed) = one {
        return Ok(if simulate(seed, &without, &log) { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let jobs = jobs.unwrap_or_else(|| available_parallelism().map_or(1, Into::into));
    let begun = Instant::now();
    let within = within.map_or(Duration::MAX, Duration::from_secs);
    let search = Search { seeds, jobs, tries, stops: first, within, logs };
    let Found { seeds: count, virtual_seconds, broken } = simulate_seeds(&std::env::current_exe()?, &search)?;
    broken.iter().for_each(|(_, story)| println!("{story}\n"));
    let (seconds, hours) = (begun.elapsed().as_secs_f64(), virtual_seconds / 3600.0);
    println!(
        "{count} seeds, {hours:.1} virtual hours in {seconds:.0} s ({:.0} seeds a minute, {:.0} virtual seconds a second): {} broke a promise",
        count as f64 / seconds * 60.0,
        virtual_seconds / seconds,
        broken.len()
    );
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
