//! How long people wait for a coordinator that has many runs, on both stores.
//!
//! `cargo bench -p acai-coordinator --bench size` prints a line for each question. `cargo test` runs it as well, with a few
//! runs: its figures mean nothing then, but it is known to work.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and fails by panicking"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use acai_coordinator::LeaseTerms;
use acai_coordinator::clock::Clock;
use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{Claim, Point, Registration, Replacing, Store};
use acai_coordinator::use_cases::{At, CurveRequest, TableRequest, UseCases, Which};
use acai_sweep::control::Intent;
use acai_sweep::results::Statistic;
use acai_sweep::run::RunState;
use acai_sweep::schedule::Offer;
use acai_testing::postgres::Postgres;
use tokio_stream::StreamExt;
use uuid::Uuid;

const METRICS: [&str; 5] = [
    "eval/mean_distance",
    "eval/smoothness",
    "eval/smoothness_nan",
    "eval/reconstruction_mse",
    "eval/latent_accuracy",
];
/// The steps of every run: one image each.
const STEPS: u64 = 1;

/// Runs of the sweeps that are measured: of the one that is waited for, and of the one that has results.
#[derive(Debug, Clone, Copy)]
struct Size {
    queued: u64,
    completed: u64,
}

impl Size {
    /// `cargo bench` says `--bench`, `cargo test` does not.
    fn asked_for() -> Size {
        if std::env::args().any(|argument| argument == "--bench") {
            Size { queued: 100_000, completed: 10_000 }
        } else {
            Size { queued: 20, completed: 10 }
        }
    }
}

#[tokio::main]
async fn main() {
    let size = Size::asked_for();
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
    measure("SQLite", Arc::new(store), size).await;
    if let Some(server) = Postgres::start() {
        let store = PostgresStore::open(&server.create_database().unwrap(), None).await.unwrap();
        measure("Postgres", Arc::new(store), size).await;
    }
}

async fn measure(name: &str, store: Arc<dyn Store>, size: Size) {
    let use_cases = UseCases::new(Arc::clone(&store), LeaseTerms::default());
    let say = |what: String, took: Duration| println!("{name}: {what}: {:.3} s", took.as_secs_f64());

    let begun = Instant::now();
    use_cases.submit(file("done", size.completed), Replacing::Any).await.unwrap();
    say(format!("submit {} runs", size.completed), begun.elapsed());
    train(&*store, size.completed).await;
    let begun = Instant::now();
    use_cases.submit(file("large", size.queued), Replacing::Any).await.unwrap();
    say(format!("submit {} runs", size.queued), begun.elapsed());

    for call in ["first", "second"] {
        let begun = Instant::now();
        let asked = TableRequest {
            group_by: Vec::new(),
            metrics: Vec::new(),
            at: At::Every(Statistic::Last),
            filter: String::new(),
        };
        let results = use_cases.results(&["done".to_owned()], asked).await.unwrap();
        assert_eq!(results.completed as u64, size.completed);
        say(format!("results of {} completed runs, {call} call", size.completed), begun.elapsed());
    }

    let begun = Instant::now();
    use_cases.sweeps().await.unwrap();
    say("the list of sweeps".to_owned(), begun.elapsed());
    let begun = Instant::now();
    use_cases.status("large").await.unwrap();
    say("the status of the larger one".to_owned(), begun.elapsed());

    let begun = Instant::now();
    let mut runs = use_cases.runs("large", Vec::new(), Which::Plan).await.unwrap();
    runs.next().await.unwrap().unwrap();
    say("the first of its runs".to_owned(), begun.elapsed());
    let mut count = 1;
    while let Some(run) = runs.next().await {
        run.unwrap();
        count += 1;
    }
    assert_eq!(count, size.queued);
    say("all of them".to_owned(), begun.elapsed());

    let begun = Instant::now();
    let asked =
        CurveRequest { numbers: Vec::new(), metric: METRICS[0].to_owned(), from_step: 0, most: Some(200) };
    let mut curves = use_cases.curves("done", asked).await.unwrap();
    let mut points = 0;
    while let Some(curve) = curves.next().await {
        points += curve.unwrap().points.len() as u64;
    }
    assert_eq!(points, size.completed);
    say(format!("one metric's curves of {} runs, a point each", size.completed), begun.elapsed());

    let retry = Intent::Retry { states: vec![RunState::Cancelled], from_scratch: false };
    for (what, intent) in [("pause", Intent::Pause), ("cancel", Intent::Cancel), ("retry", retry)] {
        let begun = Instant::now();
        use_cases.change_runs("large", Vec::new(), intent).await.unwrap();
        say(format!("{what} {} runs", size.queued), begun.elapsed());
    }
}

/// A sweep of `runs` runs, a hundredth as many configurations, of a step each.
fn file(name: &str, runs: u64) -> String {
    let (configurations, seeds) = if runs > 100 { (runs / 100, 100) } else { (runs, 1) };
    format!(
        "version: 1\nname: {name}\nmax_runs: {runs}\nmetric: {{name: eval/mean_distance, goal: minimize}}\n\
         parameters:\n  model: acai\n  dataset: lines32\n  batch: 1\n  total_kimg: 0.0009765625\n  eval_kimg: 0.0009765625\n\
         \x20 lambda: {{min: 0.1, max: 1.0, count: {configurations}}}\nseeds: {seeds}\n"
    )
}

/// Completes as many queued runs, with a value of each metric.
async fn train(store: &dyn Store, runs: u64) {
    let worker = Uuid::from_u128(1).to_string();
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
        for grant in store.run_claim(claim, 60_000).await.unwrap() {
            let point =
                |name: &&str| Point { name: (*name).to_owned(), step: STEPS, value: grant.seed as f64 };
            let points: Vec<Point> = METRICS.iter().map(point).collect();
            let last_seq = store.metrics_append(grant.attempt, 1, points, STEPS).await.unwrap();
            store.attempt_complete(grant.attempt, STEPS, last_seq).await.unwrap();
            done += 1;
        }
    }
}
