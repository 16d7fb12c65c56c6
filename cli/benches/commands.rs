//! How long people wait for each command, and how much memory it takes, on a state folder with 10,000 completed runs and ten
//! million points. The command's process is all there is: it reads the database itself.
//!
//! `cargo bench -p acai-cli --bench commands` prints a line for each. `cargo test` runs it as well, with a few runs: its figures
//! mean nothing then, but it is known to work.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and fails by panicking"
)]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use acai_coordinator::LeaseTerms;
use acai_coordinator::clock::Clock;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{Claim, Point, Registration, Replacing, Store};
use acai_coordinator::use_cases::UseCases;
use acai_sweep::schedule::Offer;

const METRICS: [&str; 5] = [
    "eval/mean_distance",
    "eval/smoothness",
    "eval/smoothness_nan",
    "eval/reconstruction_mse",
    "eval/latent_accuracy",
];
/// Steps of a run, with a value of each metric at each.
const STEPS: u64 = 200;

/// The commands, with the file that each writes its figures to, if it needs one.
const COMMANDS: [&[&str]; 23] = [
    &["plan", "big.yaml"],
    &["ls"],
    &["status", "big"],
    &["runs", "big"],
    &["runs", "big", "--columns", "lambda,seed,mean_distance", "--sort", "mean_distance"],
    &["show", "big/3"],
    &["explain", "big/3"],
    &["results", "big"],
    &["results", "big", "--pivot", "gamma:lambda"],
    &["results", "big", "--format", "latex"],
    &["results", "big", "--format", "jsonl"],
    &["results", "big", "--compare", "lambda=0.02"],
    &["results", "big", "--at", "final"],
    &["results", "big", "--at", "kimg=100"],
    &["results", "big", "--at", "best"],
    &["metrics", "big/3"],
    &["metrics", "big", "--metric", "eval/smoothness"],
    &["metrics", "big", "--metric", "eval/smoothness", "--format", "csv"],
    &["plot", "heatmap", "big", "-o", "plane.svg"],
    &["plot", "curves", "big", "--metric", "eval/smoothness", "--group-by", "lambda", "-o", "curves.svg"],
    &["plot", "scatter", "big", "--x", "eval/smoothness", "--y", "eval/latent_accuracy", "-o", "against.svg"],
    &["plot", "strip", "big", "--metric", "eval/smoothness", "--group-by", "lambda", "-o", "strip.svg"],
    &["export", "big", "--no-files", "-o", "exported"],
];

#[tokio::main]
async fn main() {
    // `cargo bench` says `--bench`, `cargo test` does not.
    let is_large = std::env::args().any(|argument| argument == "--bench");
    let place = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let (lambdas, gammas) = if is_large { (50, 40) } else { (3, 2) };
    fill(place.path(), lambdas, gammas).await;
    println!("a folder of {} runs: {:.0} s", lambdas * gammas * 5, begun.elapsed().as_secs_f64());
    for command in COMMANDS {
        let Cost { took, processor, peak } = measure(place.path(), command);
        let (took, mebibytes) = (took.as_secs_f64(), peak as f64 / 1024.0);
        println!(
            "acai {}: {took:.2} s, {processor:.2} s of processor time, {mebibytes:.0} MiB",
            command.join(" ")
        );
    }
}

/// What a command takes.
struct Cost {
    /// By the clock.
    took: Duration,
    /// Seconds of processor time, on all cores.
    processor: f64,
    /// KiB in memory, at the most.
    peak: u64,
}

/// Runs a command to its end.
fn measure(place: &Path, arguments: &[&str]) -> Cost {
    let begun = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_acai"));
    command.args(arguments).current_dir(place).env("XDG_CONFIG_HOME", place).stdin(Stdio::null());
    let mut child = command.stdout(File::create(place.join("printed")).unwrap()).spawn().unwrap();
    let process = format!("/proc/{}", child.id());
    let (mut peak, mut processor) = (0, 0.0);
    let ended = loop {
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        peak = highest_memory(&process).unwrap_or(0).max(peak);
        processor = processor_time(&process).unwrap_or(0.0).max(processor);
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(ended.success(), "acai {}: {ended}", arguments.join(" "));
    Cost { took: begun.elapsed(), processor, peak }
}

/// The most that a process has had in memory so far, in KiB; none of one that has ended.
fn highest_memory(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The processor time that a process has taken so far, in seconds; none of one that has ended.
fn processor_time(process: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("{process}/stat")).ok()?;
    // After the name, in brackets: of user and system the 12th and 13th field, in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Makes a state folder whose database has a sweep of completed runs, five seeds of each pair.
async fn fill(place: &Path, lambdas: u64, gammas: u64) {
    fs::create_dir(place.join(".acai")).unwrap();
    let file = format!(
        "version: 1\nname: big\nmetric: [mean_distance, smoothness]\nparameters:\n  model: acai\n  dataset: lines32\n  batch: 1024\n  \
         total_kimg: {STEPS}\n  eval_kimg: 1\n  lambda: {{min: 0.02, max: 1, count: {lambdas}}}\n  \
         gamma: {{min: 0, max: 0.5, count: {gammas}}}\nseeds: 5\n"
    );
    fs::write(place.join("big.yaml"), &file).unwrap();
    let store = SqliteStore::open(&place.join(".acai/acai.db"), Clock::start()).await.unwrap();
    let store = std::sync::Arc::new(store);
    let use_cases = UseCases::new(store.clone(), LeaseTerms::default());
    use_cases.submit(file, Replacing::Any).await.unwrap();
    train(&*store, lambdas * gammas * 5).await;
    store.close().await;
}

/// Completes as many queued runs.
async fn train(store: &dyn Store, runs: u64) {
    let worker = "00000000-0000-0000-0000-000000000001".to_owned();
    let registration = Registration {
        id: worker.clone(),
        name: "bench".to_owned(),
        version: "bench".to_owned(),
        hardware: "{}".to_owned(),
        slots: 1,
        datasets: vec!["lines32".to_owned()],
    };
    store.worker_register(registration).await.unwrap();
    let (mut done, mut number) = (0, 0);
    while done < runs {
        number += 1;
        let offer = Offer { groups: 100, group_size: 1 };
        let claim =
            Claim { worker: worker.clone(), id: format!("claim {number}"), number, offer, joins: None };
        for grant in store.run_claim(claim, 600_000).await.unwrap() {
            // Curves that fall, each run's from another height.
            let height = 1.0 + (done % 97) as f64 / 97.0 + grant.seed as f64 / 10.0;
            let at = |step: u64| {
                METRICS.map(|name| Point {
                    name: name.to_owned(),
                    step,
                    value: height / (step as f64).sqrt(),
                })
            };
            let points: Vec<Point> = (1..=STEPS).flat_map(at).collect();
            let last_seq = store.metrics_append(grant.attempt, 1, points, STEPS).await.unwrap();
            store.attempt_complete(grant.attempt, STEPS, last_seq).await.unwrap();
            done += 1;
        }
    }
}
