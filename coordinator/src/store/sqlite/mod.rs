//! The embedded store: one SQLite file, one coordinator.
//!
//! Reads take a connection of a small pool. Writes go to one task with the only connection that writes ([`writer`]). So
//! no request can hold or abandon a transaction, and what is queued together is committed together. The statements are
//! those of every store, in `store/sql/`.

mod backup;
#[cfg(test)]
mod breakdown;
mod dialect;
#[cfg(test)]
mod full_disk;
mod log;
mod open;
#[cfg(test)]
mod plans;
mod points;
mod writer;

#[path = "../sql/mod.rs"]
mod sql;

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};
use tokio::time::timeout;

use super::{Result, StoreError};
use crate::blobs::directory::birth;
use crate::clock::Clock;
use sql::{keep_earlier, queue, with_reader};
use writer::Writer;

/// The name by which the module [`sql`] knows this store.
use SqliteStore as Store;

/// A store in one SQLite file. When it is dropped, another coordinator can open the file.
/// [`close`](super::Store::close) it before, so that the file alone is the whole database.
#[derive(Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    clock: Clock,
    /// Held for as long as the store lives; none by a store that only reads.
    _lock: Option<File>,
}

/// How long reads may still take when the store is closed.
const READERS_END: Duration = Duration::from_secs(5);

impl SqliteStore {
    async fn until_broken(&self) -> StoreError {
        self.writer.broken().await
    }

    async fn close_all(&self) {
        // The readers are closed before the writer: a read would keep the log from being moved into the file.
        if timeout(READERS_END, self.readers.close()).await.is_err() {
            tracing::error!("somebody still reads the database while it is closed");
        }
        self.writer.close().await;
    }

    fn renewing(&self) -> &Writer {
        &self.writer
    }

    async fn lend_reader(&self) -> Result<Lent> {
        Ok(Lent(self.readers.acquire().await?))
    }

    async fn now(&self) -> Result<i64> {
        Ok(self.clock.now_ms())
    }

    /// What tells the file from copies of it.
    async fn instance(&self) -> Result<String> {
        let file = with_reader!(self, |reader| file(reader))?;
        birth(Path::new(&file)).map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}

/// Where the database is.
async fn file(reader: &mut SqliteConnection) -> Result<String> {
    let file = sqlx::query_scalar("select file from pragma_database_list where name = 'main'");
    Ok(file.fetch_one(reader).await?)
}

/// A connection that is lent to a read. A file always answers, so what is done on the connection has no time limit. The
/// pool takes the connection back when this is dropped.
#[derive(Debug)]
struct Lent(PoolConnection<Sqlite>);

/// The limit of time for what is done on a connection: none.
#[derive(Debug, Clone, Copy)]
struct Limit;

impl Lent {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }

    fn limit(&self) -> Limit {
        Limit
    }

    fn give_back<T>(self, _answer: &Result<T>) {}
}

impl Limit {
    async fn keep<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        work.await
    }
}
