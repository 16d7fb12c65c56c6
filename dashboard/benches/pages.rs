//! How long a page of a large sweep takes, and whether workers notice who looks on.
//!
//! `cargo bench -p acai-dashboard` imports a sweep of 10,000 runs, opens its page, also in a browser if there is one, and then
//! renews leases by 8 clients while nobody looks on, and while twenty tabs have the page open and something happens to the sweep
//! twice a second. A tab asks for the page again as its script does, when it hears that something happened.
//!
//! `cargo test` runs it as well, with a small sweep for a moment: its figures mean nothing then, but it is known to work.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and fails by panicking"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::clock::Clock;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{ImportedRun, Replacing, Store};
use acai_coordinator::use_cases::UseCases;
use acai_coordinator::{Door, LeaseTerms, serve};
use acai_dashboard::{Hosts, pages};
use acai_proto::v1::worker_service_client::WorkerServiceClient;
use acai_proto::v1::{Attempt, ClaimRequest, Hardware, RegisterRequest, RenewRequest};
use acai_sweep::control::Intent;
use acai_sweep::file::SweepFile;
use acai_sweep::run::RunState;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::transport::Channel;

const TABS: usize = 20;
const CLIENTS: usize = 8;
/// Between two renewals of a client.
const PACE: Duration = Duration::from_millis(5);
/// Between two things that happen to the sweep.
const EVENTS: Duration = Duration::from_millis(500);

struct Size {
    /// Values of each of two parameters, and seeds.
    values: usize,
    seeds: usize,
    /// How long leases are renewed.
    window: Duration,
    /// Whether its figures mean anything.
    is_large: bool,
}

impl Size {
    /// `cargo bench` says `--bench`, `cargo test` does not.
    fn asked_for() -> Size {
        if std::env::args().any(|argument| argument == "--bench") {
            Size { values: 20, seeds: 25, window: Duration::from_secs(20), is_large: true }
        } else {
            Size { values: 2, seeds: 2, window: Duration::from_millis(50), is_large: false }
        }
    }
}

#[tokio::main]
async fn main() {
    let size = Size::asked_for();
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let use_cases = UseCases::new(Arc::clone(&store), LeaseTerms::default());
    let runs = import(&use_cases, &size).await;
    submit_work(&use_cases).await;
    let address = start(&store, folder.path()).await;

    let (first, bytes) = timed(address).await;
    let mut later = Vec::new();
    for _ in 0..5 {
        // What was made a moment ago is shown again.
        sleep(Duration::from_millis(300)).await;
        later.push(timed(address).await.0);
    }
    later.sort();
    println!(
        "a sweep of {runs} runs: its page after {} ms, then after {} ms; {} kB",
        first.as_millis(),
        later[2].as_millis(),
        bytes / 1000
    );
    if size.is_large {
        in_a_browser(address).await;
    }
    for tabs in [0, TABS] {
        println!("{tabs} tabs: renewals {}", renewals(&store, address, tabs, size.window).await);
    }
}

/// Imports the sweep `large`, all of whose runs but the last are completed; answers how many it has.
async fn import(use_cases: &UseCases, size: &Size) -> usize {
    let values = |most: f64| {
        let value = |at: usize| format!("{}", (at as f64 * most / size.values as f64 * 1e4).round() / 1e4);
        (1..=size.values).map(value).collect::<Vec<_>>().join(", ")
    };
    let source = format!(
        "version: 1\nname: large\nmetric: latent_accuracy\nparameters: {{model: acai, dataset: digits32, lambda: [{}], gamma: [{}]}}\nseeds: {}\nmax_runs: 100000\n",
        values(1.0),
        values(0.5),
        size.seeds
    );
    let file = SweepFile::parse("large", source.as_bytes()).unwrap();
    let runs: Vec<_> = file.plan.runs().collect();
    let done = runs.iter().take(runs.len() - 1).enumerate().map(|(place, run)| {
        let curve = |scale: f64| -> Vec<(u64, f64)> {
            (1..=4).map(|at| (at * 100, scale * (60.0 + (place % 97) as f64 / 5.0 + at as f64))).collect()
        };
        ImportedRun {
            config_hash: run.configuration.config_hash(),
            seed: run.seed,
            state: RunState::Completed,
            step: 400,
            failures: 0,
            message: None,
            artifacts: Vec::new(),
            curves: vec![
                ("eval/latent_accuracy".to_owned(), curve(1.0)),
                ("eval/clustering_accuracy".to_owned(), curve(0.5)),
                ("eval/reconstruction_mse".to_owned(), curve(1e-4)),
            ],
        }
    });
    let done = done.collect();
    use_cases.import(source.clone(), done).await.unwrap();
    runs.len()
}

/// Runs for the clients that renew their leases.
async fn submit_work(use_cases: &UseCases) {
    let source = format!(
        "version: 1\nname: work\nparameters: {{model: baseline, dataset: lines32}}\nseeds: {}\n",
        2 * CLIENTS
    );
    use_cases.submit(source, Replacing::Any).await.unwrap();
}

async fn start(store: &Arc<dyn Store>, folder: &std::path::Path) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let blobs = Arc::new(Directory::open(&folder.join("blobs")).unwrap());
    let mut door = Door::open();
    door.pages = Some(pages(Hosts::default()));
    tokio::spawn(serve(
        listener,
        Arc::clone(store),
        blobs,
        LeaseTerms::default(),
        door,
        std::future::pending(),
    ));
    address
}

/// How long the page takes, and how large it is.
async fn timed(address: SocketAddr) -> (Duration, usize) {
    asked(address, "").await
}

/// The same with further headers.
async fn asked(address: SocketAddr, headers: &str) -> (Duration, usize) {
    let begun = Instant::now();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /sweeps/large HTTP/1.1\r\nhost: {address}\r\n{headers}accept-encoding: gzip\r\nconnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    (begun.elapsed(), answer.len())
}

/// What a real browser makes of the page; it says so itself, also where there is none.
async fn in_a_browser(address: SocketAddr) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/large.py");
    let page = format!("http://{address}/sweeps/large");
    let ended = Command::new(program).arg(page).status().await;
    assert!(ended.is_ok_and(|ended| ended.success()), "{program} failed");
}

/// A tab that has the page open.
async fn tab(address: SocketAddr) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /sweeps/large/live HTTP/1.1\r\nhost: {address}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    loop {
        let length = connection.read(&mut buffer).await.unwrap();
        assert!(length > 0, "the stream of events has ended");
        if String::from_utf8_lossy(&buffer[..length]).contains("happened") {
            sleep(Duration::from_millis(250)).await;
            asked(address, "acai-again: 1\r\n").await;
        }
    }
}

/// How long renewals take while so many tabs are open, in words.
async fn renewals(store: &Arc<dyn Store>, address: SocketAddr, tabs: usize, window: Duration) -> String {
    let mut others = JoinSet::new();
    (0..tabs).for_each(|_| drop(others.spawn(tab(address))));
    let changing = Arc::clone(store);
    others.spawn(async move {
        let last =
            changing.run_list("large", &[RunState::Queued, RunState::Paused], 0, 1).await.unwrap()[0].number;
        for intent in [Intent::Pause, Intent::Resume].into_iter().cycle() {
            changing.runs_change("large", vec![last], intent).await.unwrap();
            sleep(EVENTS).await;
        }
    });
    let mut clients = JoinSet::new();
    (0..CLIENTS).for_each(|number| {
        drop(clients.spawn(renew(address, format!("{tabs:08x}-0000-4000-8000-{number:012x}"), window)));
    });
    let mut took: Vec<Duration> = clients.join_all().await.concat();
    others.abort_all();
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    format!("p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms, of {}", at(0.5), at(0.99), at(1.0), took.len())
}

/// Renews a lease at its pace; answers how long each renewal took.
async fn renew(address: SocketAddr, worker: String, window: Duration) -> Vec<Duration> {
    let mut client = WorkerServiceClient::connect(format!("http://{address}")).await.unwrap();
    let attempt = claim(&mut client, &worker).await;
    let (begun, mut took) = (Instant::now(), Vec::new());
    while begun.elapsed() < window {
        let sent = Instant::now();
        let request =
            RenewRequest { worker_id: worker.clone(), attempts: attempt.into_iter().collect(), rest: None };
        client.renew(request).await.unwrap();
        took.push(sent.elapsed());
        sleep(PACE).await;
    }
    took
}

async fn claim(client: &mut WorkerServiceClient<Channel>, worker: &str) -> Option<Attempt> {
    let register = RegisterRequest {
        worker_id: worker.to_owned(),
        name: worker.to_owned(),
        version: "bench".to_owned(),
        hardware: Some(Hardware::default()),
        slots: 1,
        datasets: vec!["lines32".to_owned()],
    };
    client.register(register).await.unwrap();
    let claim = ClaimRequest {
        worker_id: worker.to_owned(),
        claim_id: worker.to_owned(),
        number: 1,
        groups: 1,
        group_size: 1,
        rest: None,
        vacancy: None,
    };
    let groups = client.claim(claim).await.unwrap().into_inner().groups;
    groups.first()?.runs.first()?.attempt
}
