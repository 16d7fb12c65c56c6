//! The shared store: one Postgres database, any number of coordinators.
//!
//! Correctness rests on the database alone: each change of a state has its condition in the same statement,
//! transactions that lock each other out are tried again, and the clock that leases are judged by is the database's.
//! The statements are those of every store, in `store/sql/`.

mod dialect;
mod limits;
mod open;
#[cfg(test)]
mod plans;
mod points;
mod pool;
mod writer;

#[path = "../sql/mod.rs"]
mod sql;

use sqlx::PgConnection;

use super::{Result, StoreError};
use crate::clock::ManualClock;
use pool::{Lent, Pool};
use sql::{keep_earlier, queue, with_reader};
use writer::Writer;

pub use limits::Limits;

/// The name by which the module [`sql`] knows this store.
use PostgresStore as Store;

/// A store in a Postgres database.
#[derive(Debug)]
pub struct PostgresStore {
    readers: Pool,
    writer: Writer,
    /// The writer of renewals. It has connections of its own, since transactions that wait for a sweep's lock can take
    /// all connections of the other writer.
    renewing: Writer,
}

/// Reads unix milliseconds by the database's clock.
macro_rules! now_ms {
    () => {
        "select cast(floor(extract(epoch from clock_timestamp()) * 1000) as bigint)"
    };
}
use now_ms;

/// The time by the database's clock, or by a test's clock.
async fn now(connection: &mut PgConnection, manual: Option<&ManualClock>) -> Result<i64> {
    match manual {
        Some(clock) => Ok(clock.now_ms()),
        None => Ok(sqlx::query_scalar(now_ms!()).fetch_one(connection).await?),
    }
}

impl PostgresStore {
    /// Never resolves: after an error, the next transaction has another connection.
    async fn until_broken(&self) -> StoreError {
        std::future::pending().await
    }

    async fn close_all(&self) {
        tokio::join!(self.writer.close(), self.renewing.close(), self.readers.close());
    }

    fn renewing(&self) -> &Writer {
        &self.renewing
    }

    async fn lend_reader(&self) -> Result<Lent> {
        self.readers.lend().await
    }

    async fn now(&self) -> Result<i64> {
        with_reader!(self, |reader| now(reader, self.writer.manual_clock()))
    }

    /// What tells the database from one that a dump of it was restored to: the id of its server, and its number there.
    /// A copy of the whole server has the same.
    async fn instance(&self) -> Result<String> {
        with_reader!(self, |reader| instance(reader))
    }
}

async fn instance(connection: &mut PgConnection) -> Result<String> {
    Ok(sqlx::query_scalar(
        "select cast(system_identifier as text) || '/' || cast(oid as text)
         from pg_control_system(), pg_database where datname = current_database()",
    )
    .fetch_one(connection)
    .await?)
}
