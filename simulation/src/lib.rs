//! The programs themselves, simulated: the real agent ([`acai_worker`]) and the real service ([`acai_coordinator`]) in one
//! thread, in virtual time, over a simulated network, under faults that a seed decides.
//!
//! The same seed gives the same run, byte for byte in its log. One process simulates one seed, since the programs below have
//! numbers that count through a process; `acai-simulate` starts many.
//!
//! # Layout
//!
//! | part | what it is |
//! |---|---|
//! | `plan` | what a seed decides: the cluster, and what goes wrong when |
//! | `cluster` | the hosts |
//! | `events` | what happens to them |
//! | `folders` | what people do with agents' state folders |
//! | `people` | whoever submits, changes their mind, and waits for the end |
//! | `trainer` | trainers that train in virtual time, and go wrong |
//! | `weather` | the database, which may be away or put back in time |
//! | `depot` | the place of checkpoints, which may fail |
//! | `ledger` | what the database has promised by its answers |
//! | `reasons` | why runs wait, and what people are told of it |
//! | `network` | connections over the simulated network |
//! | `releases` | agents and coordinators of different releases |
//! | `system` | what programs ask the C library for: randomness, clocks, flushes |
//! | `check`, `journal` | the promises of docs/reliability.md, and what happened |
//! | `seeds` | many seeds, and the fewest faults of one that breaks a promise |

mod check;
mod cluster;
mod depot;
mod events;
mod folders;
mod journal;
mod ledger;
mod network;
mod people;
mod plan;
mod quiet;
mod reasons;
mod releases;
mod seeds;
mod system;
mod trainer;
mod weather;

use std::io;
use std::panic;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rand::RngExt;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use plan::Plan;

pub use seeds::{Found, Search, simulate_seeds};

/// Work on a disk takes so long at the most.
static DISK: OnceLock<Duration> = OnceLock::new();

static HAS_PANICKED: AtomicBool = AtomicBool::new(false);

/// Virtual time in the log.
struct VirtualTime;

impl FormatTime for VirtualTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{:>9.3}", system::elapsed().as_secs_f64())
    }
}

/// Simulates a seed in the current folder, which is empty, without the faults at these places of its plan, and tells on
/// standard output what happens. Once a process. Answers whether all promises were kept.
#[must_use]
#[allow(clippy::print_stdout, reason = "whoever starts the process reads it there")]
pub fn simulate(seed: u64, left_out: &[usize], log: &str) -> bool {
    let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(log)).with_timer(VirtualTime);
    log.with_ansi(false).with_writer(io::stdout).init();
    // A task that panics ends alone, and nobody else would notice.
    panic::set_hook(Box::new(|panicked| {
        println!("VIOLATION: a panic at {:>9.3}: {panicked}", system::elapsed().as_secs_f64());
        HAS_PANICKED.store(true, Ordering::Relaxed);
    }));
    let plan = Plan::of(seed).without(left_out);
    let _ = DISK.set(plan.disk);
    acai_blocking::takes(disk_time);
    system::begin(seed);
    println!("COORDINATORS: {}", plan.coordinators().len());
    println!("RELEASES: each takes the other to be of the {:?} release", plan.release);
    for fault in &plan.faults {
        println!("PLAN: {fault}");
    }
    // A thread that had hash maps before the simulation would keep its own order of them.
    let simulated = thread::spawn(move || cluster::simulate(&plan)).join();
    let Ok(outcome) = simulated else { return false };
    println!("TOOK: {:.1} virtual s", outcome.took.as_secs_f64());
    for violation in &outcome.violations {
        println!("VIOLATION: {violation}");
    }
    outcome.violations.is_empty() && !HAS_PANICKED.load(Ordering::Relaxed)
}

fn disk_time() -> Duration {
    rand::rng().random_range(Duration::ZERO..=DISK.get().copied().unwrap_or_default())
}
