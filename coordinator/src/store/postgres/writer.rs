//! Transactions that write.
//!
//! Each transaction runs in a task of its own, and the request only waits for the answer. A request can be dropped at
//! any moment, when its client hangs up or its deadline passes; with sqlx 0.9.0 a transaction that is dropped while it
//! begins stays open on its connection, and what the next user of that connection writes is lost (sqlx issue 4385). A
//! transaction that the server does not answer in time is dropped too, but its connection is closed with it, and nobody
//! uses it again.
//!
//! Postgres flushes concurrent commits together. So transactions are not gathered here, as they are for SQLite.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Executor as _, PgConnection, Row as _};

use super::now_ms;
use super::pool::Pool;
use crate::clock::ManualClock;
use crate::store::{Result, StoreError};

/// How often a transaction is tried that collides with others.
const TRIES: u32 = 12;

type Pending<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

/// Runs transactions.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pool: Pool,
    manual: Option<ManualClock>,
}

impl Writer {
    pub(super) fn new(pool: Pool, manual: Option<ManualClock>) -> Self {
        Writer { pool, manual }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) fn manual_clock(&self) -> Option<&ManualClock> {
        self.manual.as_ref()
    }

    /// Runs `statements`, given the time, in a transaction; answers after its commit. An error undoes them. When the
    /// transaction collides with another one it is tried again, so they may run more than once.
    pub(super) async fn write<T, F>(&self, statements: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut PgConnection, i64) -> Pending<'c, Result<T>> + Send + Sync + 'static,
    {
        let (writer, statements) = (self.clone(), Arc::new(statements));
        let task = tokio::spawn(async move {
            let mut tries = 1;
            loop {
                match writer.transact(&*statements).await {
                    Err(StoreError::Collision(_)) if tries < TRIES => {
                        tokio::time::sleep(pause(tries)).await;
                        tries += 1;
                    }
                    outcome => return outcome,
                }
            }
        });
        task.await
            .unwrap_or_else(|error| Err(StoreError::Unavailable(format!("a transaction broke off: {error}"))))
    }

    async fn transact<T, F>(&self, statements: &F) -> Result<T>
    where
        F: for<'c> Fn(&'c mut PgConnection, i64) -> Pending<'c, Result<T>>,
    {
        let mut lent = self.pool.lend().await?;
        let limit = lent.limit();
        let answer = limit.keep(self.transaction(lent.connection(), statements)).await;
        lent.give_back(&answer);
        answer
    }

    async fn transaction<T, F>(&self, connection: &mut PgConnection, statements: &F) -> Result<T>
    where
        F: for<'c> Fn(&'c mut PgConnection, i64) -> Pending<'c, Result<T>>,
    {
        let now_ms = begin(connection, self.manual_clock()).await?;
        match statements(connection, now_ms).await {
            Ok(answer) => {
                // If the answer to the commit is lost, nobody knows whether the commit took effect. The caller is told
                // that the database failed, and calls again; every method gives a repeated call its first answer.
                connection.execute("commit").await?;
                Ok(answer)
            }
            Err(error) => {
                // If this fails the connection is broken, and the server undoes the transaction when it notes that.
                let undone = connection.execute("rollback").await;
                undone.map_err(|broken| StoreError::Unavailable(broken.to_string()))?;
                Err(error)
            }
        }
    }
}

/// Begins a transaction; answers the time by the database's clock, or by a test's clock. Both in one message: each that is
/// sent and answered costs as much as a small statement.
async fn begin(connection: &mut PgConnection, manual: Option<&ManualClock>) -> Result<i64> {
    if let Some(clock) = manual {
        connection.execute("begin").await?;
        return Ok(clock.now_ms());
    }
    Ok(sqlx::raw_sql(concat!("begin; ", now_ms!())).fetch_one(connection).await?.try_get(0)?)
}

/// The pause before the next try: up to 4, 8, 16 … 256 ms, spread by chance, so that transactions that have collided do
/// not collide again.
fn pause(tries: u32) -> Duration {
    Duration::from_millis(2 << tries.min(7)).mul_f64(0.5 + rand::random::<f64>() / 2.0)
}
