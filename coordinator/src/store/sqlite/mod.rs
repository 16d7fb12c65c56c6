//! The embedded store: one SQLite file, one coordinator.
//!
//! Reads take a connection of a small pool. Writes go to one task with the only writing connection
//! ([`writer`]), so no request can hold or abandon a transaction, and what is queued together is
//! committed together. The statements are those of every store, in `store/sql/`.

mod dialect;
#[cfg(test)]
mod full_disk;
mod open;
mod writer;

#[path = "../sql/attempts.rs"]
mod attempts;
#[path = "../sql/checkpoints.rs"]
mod checkpoints;
#[path = "../sql/control.rs"]
mod control;
#[path = "../sql/events.rs"]
mod events;
#[path = "../sql/fence.rs"]
mod fence;
#[path = "../sql/leases.rs"]
mod leases;
#[path = "../sql/store.rs"]
mod methods;
#[path = "../sql/metrics.rs"]
mod metrics;
#[path = "../sql/runs.rs"]
mod runs;
#[path = "../sql/sweeps.rs"]
mod sweeps;
#[path = "../sql/workers.rs"]
mod workers;

use std::fs::File;

use sqlx::SqlitePool;

use super::Result;
use crate::clock::Clock;
use writer::Writer;

/// The name by which the shared code knows this store.
use SqliteStore as Store;

/// A store in one SQLite file. Dropping it lets another coordinator have the file.
#[derive(Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    clock: Clock,
    /// Held for as long as the store lives.
    _lock: File,
}

impl SqliteStore {
    async fn now(&self) -> Result<i64> {
        Ok(self.clock.now_ms())
    }
}
