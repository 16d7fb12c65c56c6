//! The contract of a [`Store`]: each behaviour is a function over `&dyn Store`, run on every kind of store.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod allowances;
mod artifacts;
mod attempts;
mod black_hole;
mod checkpoints;
mod claims;
mod concurrency;
mod control;
mod curves;
mod demand;
mod files;
mod forget;
mod imports;
mod lengthening;
mod machine_faults;
mod metrics;
mod outages;
mod properties;
mod same_training;
mod servers;
mod specification;
mod submissions;
mod tls;
mod tokens;
mod unreadable;
mod vanished_servers;

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use acai_coordinator::clock::{Clock, ManualClock};
use acai_coordinator::store::memory::MemoryStore;
use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{
    AttemptRef, BlobFile, Claim, NewRun, NewSweep, Point, Registration, RunRecord, Store, WorkerRecord,
};
use acai_sweep::configuration::Configuration;
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;
use acai_sweep::schedule::Offer;
use acai_testing::postgres::Postgres;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;

/// The name of the file of a SQLite database.
const DATABASE: &str = "acai.db";

/// A store under test and the clock that it lives by.
pub(crate) struct Tested {
    store: Arc<dyn Store>,
    pub(crate) clock: ManualClock,
    /// Its database; empty where a test has opened that itself.
    url: String,
    /// Where it is on disk, as long as it is tested.
    _folder: Option<TempDir>,
}

impl Deref for Tested {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

impl Tested {
    async fn sqlite() -> Tested {
        Tested::sqlite_in(tempfile::tempdir().unwrap()).await
    }

    /// A copy of an empty database, which need not be brought up to date: for tests that need many. All copies have one identity.
    async fn sqlite_like(empty: &[u8]) -> Tested {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(DATABASE), empty).unwrap();
        Tested::sqlite_in(folder).await
    }

    /// An empty database for [`sqlite_like`](Self::sqlite_like).
    async fn empty_sqlite() -> Vec<u8> {
        let empty = Tested::sqlite().await;
        empty.store.close().await;
        std::fs::read(empty.url.trim_start_matches("sqlite:")).unwrap()
    }

    async fn sqlite_in(folder: TempDir) -> Tested {
        let (path, clock) = (folder.path().join(DATABASE), ManualClock::default());
        let store = SqliteStore::open(&path, Clock::Manual(clock.clone())).await.unwrap();
        let url = format!("sqlite:{}", path.display());
        Tested { store: Arc::new(store), clock, url, _folder: Some(folder) }
    }

    fn memory() -> Tested {
        let clock = ManualClock::default();
        Tested::in_memory(Arc::new(MemoryStore::new(Clock::Manual(clock.clone()))), &clock)
    }

    fn in_memory(store: Arc<MemoryStore>, clock: &ManualClock) -> Tested {
        Tested { store, clock: clock.clone(), url: String::new(), _folder: None }
    }

    /// `None` where there is no server to test with.
    async fn postgres() -> Option<Tested> {
        let (url, clock) = (database()?, ManualClock::default());
        let store = PostgresStore::open(&url, Some(clock.clone())).await.unwrap();
        Some(Tested { store: Arc::new(store), clock, url, _folder: None })
    }

    /// A store that lives by its own clock.
    pub(crate) fn on(store: impl Store) -> Tested {
        Tested::shared(Arc::new(store))
    }

    /// As [`on`](Self::on), of a store that others use too.
    pub(crate) fn shared(store: Arc<dyn Store>) -> Tested {
        Tested { store, clock: ManualClock::default(), url: String::new(), _folder: None }
    }

    /// Changes the database behind the store's back.
    pub(crate) async fn tamper(&self, statement: &'static str) {
        if self.url.starts_with("postgres:") {
            PgConnection::connect(&self.url).await.unwrap().execute(statement).await.unwrap();
        } else {
            SqliteConnection::connect(&self.url).await.unwrap().execute(statement).await.unwrap();
        }
    }

    /// Closes the store and opens its database again, as a coordinator does that is started again.
    pub(crate) async fn start_again(self) -> Tested {
        let Tested { store, clock, url, _folder } = self;
        store.close().await;
        drop(store);
        let store: Arc<dyn Store> = match url.strip_prefix("sqlite:") {
            None => Arc::new(PostgresStore::open(&url, Some(clock.clone())).await.unwrap()),
            Some(path) => {
                let store = SqliteStore::open(path.as_ref(), Clock::Manual(clock.clone())).await;
                Arc::new(store.unwrap())
            }
        };
        Tested { store, clock, url, _folder }
    }

    /// All runs in the sweep's plan in these states; of all states if there are none.
    pub(crate) async fn run_list(
        &self,
        sweep: &str,
        states: &[RunState],
    ) -> acai_coordinator::store::Result<Vec<RunRecord>> {
        self.store.run_list(sweep, states, 0, u32::MAX).await
    }

    /// Ends the leases that have run out at this time.
    pub(crate) async fn expire_at(&self, now_ms: i64) -> acai_coordinator::store::Result<Vec<AttemptRef>> {
        self.clock.set(now_ms);
        self.lease_expire(now_ms).await
    }
}

/// URL of an empty database on the server that all tests of this program share.
pub(crate) fn database() -> Option<String> {
    static SERVER: LazyLock<Option<Postgres>> = LazyLock::new(Postgres::start);
    SERVER.as_ref().map(|server| server.create_database().unwrap())
}

/// One test for each named behaviour and kind of store, on a database of its own.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(&crate::Tested::memory()).await;
                }
            )*
        }
        $crate::contract_of_databases!($($name),*);
    };
}
pub(crate) use contract;

/// As [`contract`], of the stores that have a database: one that can be opened again, or changed behind the store's back.
macro_rules! contract_of_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(&crate::Tested::sqlite().await).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    if let Some(store) = crate::Tested::postgres().await {
                        super::$name(&store).await;
                    }
                }
            )*
        }
    };
}
pub(crate) use contract_of_databases;

pub(crate) const LEASE: i64 = 30_000;

/// ACAI on lines32 with these λ, in this order, each with seeds 0 and 1.
pub(crate) fn sweep(name: &str, lambdas: &[f64]) -> NewSweep {
    let configuration = |lambda| {
        let values =
            [("model", "acai".into()), ("dataset", "lines32".into()), ("lambda", Scalar::Float(lambda))];
        Configuration::new(values).unwrap()
    };
    let run = |seed, lambda| NewRun { total_steps: 100, ..NewRun::new(&configuration(lambda), seed) };
    NewSweep {
        source: format!("the file of {name}"),
        tags: vec!["a tag".to_owned()],
        max_restarts: 1,
        max_lost_workers: 3,
        checkpoint_kimg: Some(8.0),
        ..NewSweep::new(
            name,
            (0..2).flat_map(|seed| lambdas.iter().map(move |&lambda| run(seed, lambda))).collect(),
        )
    }
}

pub(crate) async fn register(store: &Tested, worker: &str) {
    register_as(store, worker, &format!("{worker} of host")).await;
}

/// A worker on the machine of this name.
pub(crate) async fn register_as(store: &Tested, worker: &str, machine: &str) {
    let registration = Registration {
        id: worker.to_owned(),
        name: machine.to_owned(),
        version: "0".to_owned(),
        hardware: "{}".to_owned(),
        slots: 2,
        datasets: vec!["lines32".to_owned()],
    };
    store.worker_register(registration).await.unwrap();
}

/// Every worker, in the order of their ids.
pub(crate) async fn workers(store: &Tested) -> Vec<WorkerRecord> {
    store.worker_list(i64::MIN, "", 1000).await.unwrap()
}

/// A claim after all others.
pub(crate) fn claim(worker: &str, id: &str, groups: u32) -> Claim {
    static CLAIMS: AtomicU64 = AtomicU64::new(1);
    Claim {
        worker: worker.to_owned(),
        id: id.to_owned(),
        number: CLAIMS.fetch_add(1, Ordering::Relaxed),
        offer: Offer { groups, group_size: 1 },
        joins: None,
    }
}

/// A worker `w` holds one run of the sweep `s`, until [`LEASE`].
pub(crate) async fn one_running(store: &Tested) -> AttemptRef {
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    register(store, "w").await;
    claim_one(store, "first").await
}

/// The next run for worker `w`.
pub(crate) async fn claim_one(store: &Tested, claim_id: &str) -> AttemptRef {
    store.run_claim(claim("w", claim_id, 1), LEASE).await.unwrap()[0].attempt
}

/// A file that has these bytes.
pub(crate) fn file(sha256: &str, tag: &str) -> BlobFile {
    BlobFile { sha256: sha256.to_owned(), tag: tag.to_owned() }
}

/// Uploads a blob, into a file with this tag; answers whether the blob has that file now.
pub(crate) async fn upload(store: &Tested, sha256: &str, tag: &str, bytes: u64) -> bool {
    store.blob_begin(file(sha256, tag)).await.unwrap();
    store.blob_add(file(sha256, tag), bytes, None).await.unwrap().unwrap() == file(sha256, tag)
}

pub(crate) fn point(name: &str, step: u64, value: f64) -> Point {
    Point { name: name.to_owned(), step, value }
}
