//! A database and the coordinators that serve it.

use std::sync::Arc;

use acai_coordinator::clock::{Clock, ManualClock};
use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{OpenError, Store};
use tempfile::TempDir;

/// A database.
pub(crate) enum Place {
    Sqlite(TempDir),
    Postgres(String),
}

impl Place {
    /// In memory where that is a folder: a simulated kill keeps what was written, so there is nothing to flush.
    pub(crate) fn sqlite() -> Place {
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Place::Sqlite(folder.unwrap())
    }

    async fn open(&self, clock: &ManualClock) -> Arc<dyn Store> {
        match self {
            Place::Sqlite(folder) => {
                let path = folder.path().join("acai.db");
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
            coordinators.push(Some(place.open(&clock).await));
        }
        Cluster { place, clock, coordinators }
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
        let store = self.place.open(&self.clock).await;
        store.lease_grant_fresh_terms(lease_ms).await.unwrap();
        self.coordinators[number] = Some(store);
    }
}
