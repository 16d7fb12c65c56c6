//! Points acknowledged and runs dispatched per second, over gRPC on loopback, by 8 clients at once, on both stores.
//!
//! `cargo bench -p acai-coordinator` prints lines for each store, and for one behind TLS and tokens; words after `--` ask for
//! the stores (`disk`, `memory`, `tls`, `postgres`) and figures (`points`, `dispatch`) that they name alone. A point counts when its acknowledgement has arrived,
//! which is after its commit. What it costs that commits reach the disk shows beside the same store in memory, where
//! `fsync` has nothing to do. By one client whose every call has a single point, no two can share a commit.
//!
//! `cargo test` runs it as well, for a moment each: its figures mean nothing then, but it is known to work.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and fails by panicking"
)]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use acai_access::{AccessFile, Authority, Connection, Scope, connection, endpoint};
use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::clock::Clock;
use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{NewRun, NewSweep, Store};
use acai_coordinator::use_cases::UseCases;
use acai_coordinator::{Door, Guard, LeaseTerms, serve};
use acai_proto::v1::worker_service_client::WorkerServiceClient;
use acai_proto::v1::{
    Attempt, ClaimRequest, CompleteRequest, Hardware, Point, RegisterRequest, ReportMetricsRequest,
};
use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_testing::postgres::Postgres;
use tokio::net::TcpListener;
use uuid::Uuid;

const CLIENTS: u64 = 8;
/// Slots of a worker that takes many small runs at a time.
const SLOTS: u32 = 8;
/// More steps than any client reports points of in its time: a run has one point a step here.
const STEPS: u64 = 1 << 40;
/// A folder in memory, as Linux has one.
const MEMORY: &str = "/dev/shm";

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// How long points are reported in each way.
    window: Duration,
    /// Runs that are claimed, reported on and completed: a multiple of what the clients have slots for.
    dispatched: u64,
}

impl Size {
    /// `cargo bench` says `--bench`, `cargo test` does not.
    fn asked_for() -> Size {
        if std::env::args().any(|argument| argument == "--bench") {
            Size { window: Duration::from_secs(5), dispatched: 1_984 }
        } else {
            Size { window: Duration::from_millis(20), dispatched: CLIENTS * u64::from(SLOTS) }
        }
    }
}

/// Whether the command line names one of these words, or none of them.
fn is_asked_for(word: &str, words: &[&str]) -> bool {
    let named: Vec<String> = std::env::args().filter(|argument| words.contains(&argument.as_str())).collect();
    named.is_empty() || named.iter().any(|argument| argument == word)
}

#[tokio::main]
async fn main() {
    let size = Size::asked_for();
    let is_store_asked_for = |word| is_asked_for(word, &["disk", "memory", "tls", "postgres"]);
    for (word, name, place) in [
        ("disk", "SQLite", std::env::temp_dir()),
        ("memory", "SQLite in memory", MEMORY.into()),
        ("tls", "SQLite in memory, behind TLS and tokens", MEMORY.into()),
    ] {
        if !is_store_asked_for(word) {
            continue;
        }
        let folder = tempfile::tempdir_in(place).unwrap();
        let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let entry = if word == "tls" { encrypted(&store).await } else { open() };
        measure(name, store, entry, size).await;
    }
    if is_store_asked_for("postgres")
        && let Some(server) = Postgres::start()
    {
        let store = PostgresStore::open(&server.create_database().unwrap(), None).await.unwrap();
        measure("Postgres", Arc::new(store), open(), size).await;
    }
}

/// How clients come in, and what they need for that but the address.
type Entry = (Door, AccessFile);

fn open() -> Entry {
    (Door::open(), AccessFile::open("http://"))
}

async fn encrypted(store: &Arc<dyn Store>) -> Entry {
    let identity = store.authority(Authority::new().unwrap()).await.unwrap().identity().unwrap();
    let token = UseCases::new(Arc::clone(store), LeaseTerms::default());
    let token = token.create_token("the benchmark", Scope::Worker, None).await.unwrap();
    let access = AccessFile { url: "https://".to_owned(), ca: vec![identity.pin], token: Some(token) };
    (Door::new(Guard::stored(Arc::clone(store)), Some(identity)), access)
}

type Client = WorkerServiceClient<Connection>;

async fn connect(access: &AccessFile) -> Client {
    let channel = endpoint(access).unwrap().connect().await.unwrap();
    WorkerServiceClient::new(connection(channel, access.token.as_ref()))
}

async fn measure(name: &str, store: Arc<dyn Store>, (door, mut access): Entry, size: Size) {
    store.sweep_submit(sweep(2 * size.dispatched + 3 * CLIENTS)).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    access.url += &listener.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let blobs = Arc::new(Directory::open(folder.path()).unwrap());
    tokio::spawn(serve(listener, store, blobs, LeaseTerms::default(), door, std::future::pending()));
    let is_figure_asked_for = |word| is_asked_for(word, &["points", "dispatch"]);
    if is_figure_asked_for("points") {
        let batched = points(&access, CLIENTS, 1000, size.window).await;
        let small = points(&access, CLIENTS, 10, size.window).await;
        let alone = points(&access, 1, 1, size.window).await;
        println!(
            "{name}: {batched:.0} points/s in batches of 1,000, {small:.0} in batches of 10 ({CLIENTS} clients); \
             {alone:.0} by one client one by one"
        );
    }
    if is_figure_asked_for("dispatch") {
        let single = dispatched(&access, 1, size.dispatched).await;
        let many = dispatched(&access, SLOTS, size.dispatched).await;
        println!(
            "{name}: {single:.0} runs/s claimed, reported on and completed one by one; {many:.0} by workers of {SLOTS} slots"
        );
    }
}

/// Points acknowledged per second when each of `clients` sends the next batch as soon as the last is acknowledged.
async fn points(access: &AccessFile, clients: u64, batch: u64, window: Duration) -> f64 {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..clients {
        let access = access.clone();
        tasks.spawn(async move {
            let mut client = connect(&access).await;
            let attempt = claim(&mut client, &format!("points-{clients}-{batch}-{number}"), 1, 0).await[0];
            let (started, mut acked) = (Instant::now(), 0);
            while started.elapsed() < window {
                let last = acked + batch;
                let points =
                    (acked + 1..=last).map(|step| Point { name: "loss".to_owned(), step, value: 0.5 });
                let request = ReportMetricsRequest {
                    attempt: Some(attempt),
                    first_seq: acked + 1,
                    points: points.collect(),
                    step: last,
                };
                acked = client.report_metrics(request).await.unwrap().into_inner().acked_seq;
            }
            acked as f64 / started.elapsed().as_secs_f64()
        });
    }
    tasks.join_all().await.into_iter().sum()
}

/// Runs that are claimed, reported on and completed per second, by clients that have so many slots.
async fn dispatched(access: &AccessFile, slots: u32, runs: u64) -> f64 {
    let started = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(dispatch(access.clone(), format!("dispatch-{slots}-{number}"), slots, runs / CLIENTS));
    }
    clients.join_all().await;
    runs as f64 / started.elapsed().as_secs_f64()
}

/// Takes its share of the runs, as many at a time as it has slots, each with one point and no training.
async fn dispatch(access: AccessFile, worker: String, slots: u32, runs: u64) {
    let mut client = connect(&access).await;
    for round in 0..runs / u64::from(slots) {
        let attempts = claim(&mut client, &worker, slots, round).await;
        assert_eq!(attempts.len(), slots as usize, "there are enough runs");
        let mut ends = tokio::task::JoinSet::new();
        for attempt in attempts {
            ends.spawn(end(client.clone(), attempt));
        }
        ends.join_all().await;
    }
}

async fn end(mut client: Client, attempt: Attempt) {
    let point = Point { name: "loss".to_owned(), step: 1, value: 0.5 };
    let report =
        ReportMetricsRequest { attempt: Some(attempt), first_seq: 1, points: vec![point], step: STEPS };
    client.report_metrics(report).await.unwrap();
    let complete = CompleteRequest { attempt: Some(attempt), step: STEPS, last_seq: 1, checkpoint_step: 0 };
    client.complete(complete).await.unwrap();
}

async fn claim(client: &mut Client, worker: &str, slots: u32, round: u64) -> Vec<Attempt> {
    let mut name = DefaultHasher::new();
    worker.hash(&mut name);
    let id = Uuid::from_u128(name.finish().into()).to_string();
    if round == 0 {
        let register = RegisterRequest {
            worker_id: id.clone(),
            name: worker.to_owned(),
            version: "bench".to_owned(),
            hardware: Some(Hardware::default()),
            slots,
            datasets: vec!["lines32".to_owned()],
        };
        client.register(register).await.unwrap();
    }
    let claim = ClaimRequest {
        worker_id: id,
        claim_id: format!("{worker}-{round}"),
        number: round + 1,
        groups: slots,
        group_size: 1,
        rest: None,
        vacancy: None,
    };
    let groups = client.claim(claim).await.unwrap().into_inner().groups;
    groups.into_iter().flat_map(|group| group.runs).filter_map(|run| run.attempt).collect()
}

/// `runs` must be enough for every client of every measurement.
fn sweep(runs: u64) -> NewSweep {
    let configuration =
        Configuration::new([("model", Scalar::from("acai")), ("dataset", Scalar::from("lines32"))]).unwrap();
    let run = |seed| NewRun { total_steps: STEPS, ..NewRun::new(&configuration, seed) };
    NewSweep::new("bench", (0..runs).map(run).collect())
}
