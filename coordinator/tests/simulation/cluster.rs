//! A database and the coordinators that serve it.

use std::path::PathBuf;
use std::sync::Arc;

use acai_coordinator::clock::{Clock, ManualClock};
use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{OpenError, Store};
use tempfile::TempDir;

/// Where databases are.
pub(crate) enum Place {
    /// Files in a folder.
    Sqlite(TempDir),
    /// One on a server.
    Postgres(String),
}

/// Which of the databases of a [`Place`]; the first is 0.
pub(crate) type DatabaseNumber = u32;

impl Place {
    /// In memory where that is a folder: a simulated kill keeps what was written, so there is nothing to flush.
    pub(crate) fn sqlite() -> Place {
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Place::Sqlite(folder.unwrap())
    }

    /// Whether there can be another database than the first: a copy of that, or a new one.
    pub(crate) fn has_more(&self) -> bool {
        matches!(self, Place::Sqlite(_))
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
            Place::Postgres(url) => Arc::new(PostgresStore::open(url, Some(clock.clone())).await.unwrap()),
        }
    }
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

    /// Starts the coordinators again on another database; answers the one that they had.
    pub(crate) async fn move_to(&mut self, database: DatabaseNumber, lease_ms: i64) -> DatabaseNumber {
        let before = std::mem::replace(&mut self.database, database);
        for number in 0..self.len() {
            self.restart(number, 0, lease_ms).await;
        }
        before
    }
}
