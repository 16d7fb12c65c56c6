//! A database and the coordinators that serve it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use acai_coordinator::clock::{Clock, ManualClock};
use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{OpenError, Store};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

use crate::observer::Observer;

/// Where databases are.
pub(crate) enum Place {
    /// Files in a folder.
    Sqlite(TempDir),
    /// Some on a server.
    Postgres(Server),
}

/// Databases on a server of Postgres.
pub(crate) struct Server {
    /// The database that the server itself needs.
    own: String,
    first: String,
    /// Others than the first that there are.
    others: Mutex<Vec<DatabaseNumber>>,
}

/// Which of the databases of a [`Place`]; the first is 0.
pub(crate) type DatabaseNumber = u32;

impl Place {
    pub(crate) fn sqlite() -> Place {
        Place::Sqlite(folder_in_memory())
    }

    /// On the server that has its own database at one URL and an empty one at the other.
    pub(crate) fn postgres(own: String, first: String) -> Place {
        Place::Postgres(Server { own, first, others: Mutex::default() })
    }

    pub(crate) fn file(folder: &TempDir, database: DatabaseNumber) -> PathBuf {
        folder.path().join(format!("acai-{database}.db"))
    }

    async fn open(&self, database: DatabaseNumber, clock: &ManualClock) -> Arc<dyn Store> {
        match self {
            Place::Sqlite(folder) => {
                let path = Place::file(folder, database);
                // The last coordinator's lock goes with its last task.
                loop {
                    match SqliteStore::open(&path, Clock::Manual(clock.clone())).await {
                        Ok(store) => return Arc::new(store),
                        Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            Place::Postgres(server) => {
                let url = server.url(database);
                Arc::new(PostgresStore::open(&url, Some(clock.clone())).await.unwrap())
            }
        }
    }

    /// Makes an empty database.
    async fn create(&self, database: DatabaseNumber) {
        if let Place::Postgres(server) = self {
            server.create(database, "template1").await;
        }
    }
}

impl Server {
    pub(crate) fn url(&self, database: DatabaseNumber) -> String {
        if database == 0 { self.first.clone() } else { format!("{}_{database}", self.first) }
    }

    /// All databases that there are.
    pub(crate) fn urls(&self) -> Vec<String> {
        let others = self.others.lock().unwrap();
        std::iter::once(&0).chain(others.iter()).map(|database| self.url(*database)).collect()
    }

    fn name(&self, database: DatabaseNumber) -> String {
        self.url(database).rsplit_once('/').unwrap().1.to_owned()
    }

    async fn create(&self, database: DatabaseNumber, template: &str) {
        let mut connection = PgConnection::connect(&self.own).await.unwrap();
        let create = format!("create database {} template {template}", self.name(database));
        sqlx::query(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
        self.others.lock().unwrap().push(database);
        connection.close().await.unwrap();
    }

    /// Makes a database that equals another one, which nobody may use meanwhile.
    pub(crate) async fn copy(&self, from: DatabaseNumber, to: DatabaseNumber) {
        let mut connection = PgConnection::connect(&self.own).await.unwrap();
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1")
            .bind(self.name(from))
            .execute(&mut connection)
            .await
            .unwrap();
        self.create(to, &self.name(from)).await;
        connection.close().await.unwrap();
    }
}

/// In memory where that is a folder: a simulated kill keeps what was written, so there is nothing to flush.
pub(crate) fn folder_in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.unwrap()
}

/// The coordinators of a [`Place`]: a file has one, a server two.
pub(crate) struct Cluster<'p> {
    place: &'p Place,
    database: DatabaseNumber,
    clock: ManualClock,
    /// `None` only while one is away.
    coordinators: Vec<Option<Arc<dyn Store>>>,
}

impl<'p> Cluster<'p> {
    pub(crate) async fn start(place: &'p Place, clock: ManualClock) -> Cluster<'p> {
        let number = match place {
            Place::Sqlite(_) => 1,
            Place::Postgres(_) => 2,
        };
        let mut coordinators = Vec::new();
        for _ in 0..number {
            coordinators.push(Some(place.open(0, &clock).await));
        }
        Cluster { place, database: 0, clock, coordinators }
    }

    pub(crate) fn database(&self) -> DatabaseNumber {
        self.database
    }

    pub(crate) fn len(&self) -> usize {
        self.coordinators.len()
    }

    pub(crate) fn coordinator(&self, number: usize) -> Arc<dyn Store> {
        Arc::clone(self.coordinators[number].as_ref().unwrap())
    }

    /// Kills a coordinator, and starts it again after a while.
    pub(crate) async fn restart(&mut self, number: usize, away_ms: i64, lease_ms: i64) {
        // A file is opened by one coordinator at a time.
        self.coordinators[number] = None;
        self.clock.set(self.clock.now_ms() + away_ms);
        let store = self.place.open(self.database, &self.clock).await;
        store.lease_grant_fresh_terms(lease_ms).await.unwrap();
        self.coordinators[number] = Some(store);
    }

    /// Whether nobody may use the database while it is copied.
    pub(crate) fn must_stop_for_backups(&self) -> bool {
        matches!(self.place, Place::Postgres(_))
    }

    /// Makes a copy of the database. On a server nobody may use it meanwhile: the coordinators end in order, and start again.
    pub(crate) async fn back_up(&mut self, to: DatabaseNumber, observer: &mut Observer, lease_ms: i64) {
        let server = match self.place {
            Place::Sqlite(folder) => return observer.back_up(&Place::file(folder, to)).await,
            Place::Postgres(server) => server,
        };
        for coordinator in &mut self.coordinators {
            coordinator.take().unwrap().close().await;
        }
        server.copy(self.database, to).await;
        *observer = Observer::of(self.place, self.database).await;
        for number in 0..self.len() {
            self.restart(number, 0, lease_ms).await;
        }
    }

    /// Starts the coordinators again on another database, which is made if it `is_new`; answers the one that they had.
    pub(crate) async fn move_to(
        &mut self,
        database: DatabaseNumber,
        is_new: bool,
        lease_ms: i64,
    ) -> DatabaseNumber {
        if is_new {
            self.place.create(database).await;
        }
        let before = std::mem::replace(&mut self.database, database);
        for number in 0..self.len() {
            self.restart(number, 0, lease_ms).await;
        }
        before
    }
}
