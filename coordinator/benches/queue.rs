//! What a sweep of 100,000 runs costs those who do not train it, and those who change it as a whole, on both stores.
//!
//! `cargo bench -p acai-coordinator --bench queue` prints lines for each store: claims per second by a worker that lacks
//! the dataset, by one that trains some runs of it at the end of the queue, and by one that has it; and how long it takes to
//! submit, pause, resume, cancel and retry all runs. A number after `--` asks for another number of runs.
//!
//! `cargo test` runs it as well, with few runs: its figures mean nothing then, but it is known to work.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and fails by panicking"
)]

use std::sync::Arc;
use std::time::Instant;

use acai_coordinator::clock::Clock;
use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{Claim, NewRun, NewSweep, Registration, Store};
use acai_sweep::configuration::Configuration;
use acai_sweep::control::Intent;
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;
use acai_sweep::schedule::Offer;
use acai_testing::postgres::Postgres;

const LEASE_MS: i64 = 600_000;

#[tokio::main]
async fn main() {
    // `cargo bench` says `--bench`, `cargo test` does not.
    let (runs, claims) =
        if std::env::args().any(|argument| argument == "--bench") { (100_000, 50) } else { (20, 2) };
    let asked_for = std::env::args().find_map(|argument| argument.parse().ok());
    let runs = asked_for.unwrap_or(runs);
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
    measure("SQLite", Arc::new(store), runs, claims).await;
    if let Some(server) = Postgres::start() {
        let store = PostgresStore::open(&server.create_database().unwrap(), None).await.unwrap();
        measure("Postgres", Arc::new(store), runs, claims).await;
    }
}

async fn measure(name: &str, store: Arc<dyn Store>, runs: u64, claims: u64) {
    let started = Instant::now();
    store.sweep_submit(sweep(runs)).await.unwrap();
    println!("{name}: {runs} runs submitted in {:.2?}", started.elapsed());
    for (worker, datasets) in
        [("lacks it", "cifar10"), ("has what is last", "digits32"), ("has it", "lines32")]
    {
        register(&*store, worker, datasets).await;
        let (started, mut granted) = (Instant::now(), 0);
        for number in 1..=claims {
            let (worker, id) = (worker.to_owned(), format!("{worker} {number}"));
            let claim = Claim { worker, id, number, offer: Offer { groups: 1, group_size: 1 }, joins: None };
            granted += store.run_claim(claim, LEASE_MS).await.unwrap().len();
        }
        let each = started.elapsed() / u32::try_from(claims).unwrap();
        println!("{name}: a claim by a worker that {worker} takes {each:.2?} ({granted} granted)");
    }
    let retry = Intent::Retry { states: vec![RunState::Cancelled], from_scratch: false };
    for (what, intent, some) in [
        ("pause of each", Intent::Pause, true),
        ("resume of each", Intent::Resume, true),
        ("pause of the sweep", Intent::Pause, false),
        ("resume of the sweep", Intent::Resume, false),
        ("cancel", Intent::Cancel, false),
        ("retry", retry, false),
    ] {
        let numbers = if some { (0..u32::try_from(runs).unwrap()).collect() } else { Vec::new() };
        let started = Instant::now();
        let changes = store.runs_change("bench", numbers, intent).await.unwrap().unwrap();
        println!("{name}: {what} takes {:.2?} ({} runs changed)", started.elapsed(), changes.changed);
    }
    store.close().await;
}

async fn register(store: &dyn Store, worker: &str, dataset: &str) {
    let registration = Registration {
        id: worker.to_owned(),
        name: worker.to_owned(),
        version: "bench".to_owned(),
        hardware: "{}".to_owned(),
        slots: 1,
        datasets: vec![dataset.to_owned()],
    };
    store.worker_register(registration).await.unwrap();
}

/// The last hundredth is on another dataset.
fn sweep(runs: u64) -> NewSweep {
    let configuration = |dataset: &str| {
        Configuration::new([("model", Scalar::from("acai")), ("dataset", Scalar::from(dataset))]).unwrap()
    };
    let (first, last) = (configuration("lines32"), configuration("digits32"));
    let run = |seed| {
        let configuration = if seed < runs - runs / 100 - 1 { &first } else { &last };
        NewRun { total_steps: 100, ..NewRun::new(configuration, seed) }
    };
    NewSweep::new("bench", (0..runs).map(run).collect())
}
