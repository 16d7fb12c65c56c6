//! What a large fleet costs a coordinator on SQLite: workers that wait for work, workers that hold leases, and people who
//! ask for a large table meanwhile.
//!
//! `cargo bench -p acai-coordinator --bench fleet` prints the coordinator's share of a core, and how long renewals take. Each
//! worker has a connection of its own. The coordinator's threads are told from the workers' by their names.
//!
//! `cargo test` runs it as well, with a few workers: its figures mean nothing then, but it is known to work.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and fails by panicking"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use acai_access::{AccessFile, Connection, connection, endpoint};
use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::clock::Clock;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{Claim, NewRun, NewSweep, Point, Registration, Store};
use acai_coordinator::{Door, LeaseTerms, serve};
use acai_proto::v1::sweep_service_client::SweepServiceClient;
use acai_proto::v1::worker_service_client::WorkerServiceClient;
use acai_proto::v1::{
    Attempt, ClaimRequest, GetResultsRequest, Hardware, RegisterRequest, RenewRequest, ReportMetricsRequest,
};
use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_sweep::schedule::Offer;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Linux counts processor time in ticks of this length.
const TICK: Duration = Duration::from_millis(10);
/// What the names of the coordinator's threads begin with, and of those that SQLite's connections have.
const THREADS: [&str; 2] = ["coordinator", "sqlx-sqlite"];
const STEPS: u64 = 1 << 40;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Workers that wait, and as many that hold two leases each.
    workers: u64,
    /// Completed runs of the table.
    completed: u64,
    window: Duration,
}

impl Size {
    /// `cargo bench` says `--bench`, `cargo test` does not.
    fn asked_for() -> Size {
        if std::env::args().any(|argument| argument == "--bench") {
            Size { workers: 1000, completed: 10_000, window: Duration::from_secs(30) }
        } else {
            Size { workers: 3, completed: 3, window: Duration::from_millis(50) }
        }
    }
}

fn main() {
    let size = Size::asked_for();
    let folder = tempfile::tempdir().unwrap();
    let runtime = |name| {
        tokio::runtime::Builder::new_multi_thread().thread_name(name).worker_threads(2).enable_all().build()
    };
    let (coordinator, fleet) = (runtime("coordinator").unwrap(), runtime("fleet").unwrap());
    let url = coordinator.block_on(async {
        let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        complete(&*store, size.completed).await;
        store.sweep_submit(sweep("held", 2 * size.workers, "lines32")).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let blobs = Arc::new(Directory::open(&folder.path().join("blobs")).unwrap());
        let never = std::future::pending();
        tokio::spawn(serve(listener, store, blobs, LeaseTerms::default(), Door::open(), never));
        url
    });
    fleet.block_on(measure(&AccessFile::open(&url), size));
}

async fn measure(access: &AccessFile, size: Size) {
    let mut tasks = JoinSet::new();
    for number in 0..size.workers {
        tasks.spawn(wait(access.clone(), number));
    }
    settle(size).await;
    let share = used(size.window).await;
    println!("{} workers that wait: {share:.1} % of a core", size.workers);

    let (sent, mut taken) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..size.workers {
        tasks.spawn(hold(access.clone(), size.workers + number, sent.clone()));
    }
    settle(size).await;
    let mut renewals = async |what: &str| {
        while taken.try_recv().is_ok() {}
        let share = used(size.window).await;
        let mut took = Vec::new();
        while let Ok(each) = taken.try_recv() {
            took.push(each);
        }
        took.sort_unstable();
        let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
        println!(
            "{what}: {share:.1} % of a core; {} renewals of two leases took {:.1?} in the median, {:.1?} at the 99th percentile",
            took.len(),
            at(50),
            at(99)
        );
    };
    renewals(&format!("and {} workers with two leases each that report once a second", size.workers)).await;
    for _ in 0..2 {
        tasks.spawn(ask_for_the_table(access.clone()));
    }
    renewals(&format!("and two people who ask for a table of {} runs without a pause", size.completed)).await;
}

/// Until everybody has come in, who came together.
async fn settle(size: Size) {
    tokio::time::sleep(size.window).await;
}

/// Which part of a core the coordinator uses for so long, in %.
async fn used(window: Duration) -> f64 {
    let (begun, before) = (Instant::now(), processor_time());
    tokio::time::sleep(window).await;
    100.0 * (processor_time() - before).as_secs_f64() / begun.elapsed().as_secs_f64()
}

/// The processor time of the coordinator's threads so far.
fn processor_time() -> Duration {
    let of_thread = |folder: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(folder.path().join("stat")).ok()?;
        // The name is in brackets; user and system time are the 12th and 13th field behind it.
        let (name, fields) = stat.split_once('(')?.1.rsplit_once(") ")?;
        let ticks: u32 =
            fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
        THREADS.iter().any(|ours| name.starts_with(ours)).then_some(TICK * ticks)
    };
    std::fs::read_dir("/proc/self/task").unwrap().flatten().filter_map(of_thread).sum()
}

type Client = WorkerServiceClient<Connection>;

async fn register(access: &AccessFile, number: u64, dataset: &str) -> (Client, String) {
    let channel = endpoint(access).unwrap().connect().await.unwrap();
    let mut client = WorkerServiceClient::new(connection(channel, None));
    let worker_id = Uuid::from_u128(u128::from(number) + 1).to_string();
    let register = RegisterRequest {
        worker_id: worker_id.clone(),
        name: format!("worker-{number}"),
        version: "bench".to_owned(),
        hardware: Some(Hardware::default()),
        slots: 2,
        datasets: vec![dataset.to_owned()],
    };
    client.register(register).await.unwrap();
    (client, worker_id)
}

fn claim(worker_id: &str, number: u64) -> ClaimRequest {
    ClaimRequest {
        worker_id: worker_id.to_owned(),
        claim_id: format!("{worker_id}-{number}"),
        number,
        groups: 2,
        group_size: 1,
        rest: None,
        vacancy: None,
    }
}

/// A worker that has what no run needs.
async fn wait(access: AccessFile, number: u64) {
    let (mut client, worker_id) = register(&access, number, "cifar10").await;
    for number in 1.. {
        let answer = client.claim(claim(&worker_id, number)).await.unwrap().into_inner();
        tokio::time::sleep(Duration::from_millis(answer.retry_after_ms.into())).await;
    }
}

/// A worker that holds two runs, reports five points of each once a second, and renews every ten seconds.
async fn hold(access: AccessFile, number: u64, took: tokio::sync::mpsc::UnboundedSender<Duration>) {
    let (mut client, worker_id) = register(&access, number, "lines32").await;
    let answer = client.claim(claim(&worker_id, 1)).await.unwrap().into_inner();
    let attempts: Vec<Attempt> =
        answer.groups.into_iter().flat_map(|group| group.runs).filter_map(|run| run.attempt).collect();
    assert_eq!(attempts.len(), 2);
    tokio::time::sleep(Duration::from_millis(number * 7919 % 10_000)).await;
    for second in 0u64.. {
        let next = tokio::time::Instant::now() + Duration::from_secs(1);
        if second.is_multiple_of(10) {
            let begun = Instant::now();
            let renewal =
                RenewRequest { worker_id: worker_id.clone(), attempts: attempts.clone(), rest: None };
            client.renew(renewal).await.unwrap();
            let _ = took.send(begun.elapsed());
        }
        for &attempt in &attempts {
            let point = |step| acai_proto::v1::Point { name: "loss".to_owned(), step, value: 0.5 };
            let report = ReportMetricsRequest {
                attempt: Some(attempt),
                first_seq: 5 * second + 1,
                points: (1..=5).map(|point_of_second| point(5 * second + point_of_second)).collect(),
                step: 5 * second + 5,
            };
            client.report_metrics(report).await.unwrap();
        }
        tokio::time::sleep_until(next).await;
    }
}

async fn ask_for_the_table(access: AccessFile) {
    let channel = endpoint(&access).unwrap().connect().await.unwrap();
    let client = SweepServiceClient::new(connection(channel, None));
    let mut client = client.max_decoding_message_size(64 << 20);
    loop {
        let request = GetResultsRequest { sweep: "done".to_owned(), ..GetResultsRequest::default() };
        client.get_results(request).await.unwrap();
    }
}

fn sweep(name: &str, runs: u64, dataset: &str) -> NewSweep {
    let values = [("model", Scalar::from("acai")), ("dataset", Scalar::from(dataset))];
    let configuration = Configuration::new(values).unwrap();
    let run = |seed| NewRun { total_steps: STEPS, ..NewRun::new(&configuration, seed) };
    NewSweep::new(name, (0..runs).map(run).collect())
}

/// Submits a sweep of as many runs, and completes them.
async fn complete(store: &dyn Store, runs: u64) {
    let mut done = sweep("done", runs, "digits32");
    done.source = "version: 1\nname: done\nparameters: {model: acai, dataset: digits32}\n".to_owned();
    store.sweep_submit(done).await.unwrap();
    let worker = "complete".to_owned();
    let registration = Registration {
        id: worker.clone(),
        name: worker.clone(),
        version: "bench".to_owned(),
        hardware: "{}".to_owned(),
        slots: 1,
        datasets: vec!["digits32".to_owned()],
    };
    store.worker_register(registration).await.unwrap();
    let (mut completed, mut number) = (0, 0);
    while completed < runs {
        number += 1;
        let offer = Offer { groups: 100, group_size: 1 };
        let claim =
            Claim { worker: worker.clone(), id: format!("claim {number}"), number, offer, joins: None };
        for grant in store.run_claim(claim, 60_000).await.unwrap() {
            let point =
                Point { name: "eval/mean_distance".to_owned(), step: STEPS, value: grant.seed as f64 };
            store.metrics_append(grant.attempt, 1, vec![point], STEPS).await.unwrap();
            store.attempt_complete(grant.attempt, STEPS, 1).await.unwrap();
            completed += 1;
        }
    }
}
