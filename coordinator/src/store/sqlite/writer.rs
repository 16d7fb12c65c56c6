//! The one task that writes.
//!
//! Callers send it work and await the answer. A caller that goes away (a client hung up, a
//! deadline passed) only loses the answer: its transaction ends as if it had waited. All work that
//! is queued when a transaction begins shares it, each piece in a savepoint of its own, and all
//! answers follow the one commit: under load an fsync is paid once for many requests.
//!
//! A flush that fails ends the task, and with it the server. The system may then call clean what is not on the disk, and the
//! next flush succeeds without writing it: nothing that rests on that may be acknowledged.
//! Who opens the file next writes the log once more ([`super::log`]).

use std::future::Future;
use std::pin::Pin;

use sqlx::{Connection, Executor, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::store::{Result, StoreError};

/// Pieces of work that wait at the most; more make their callers wait.
const QUEUE: usize = 1024;
/// Pieces of work in one transaction at the most.
const BATCH: usize = 256;

type Pending<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

/// Given the outcome of the commit, sends the caller its answer.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

/// Does its statements, given the time, if there is a transaction to do them in; then says whether to keep them, and
/// how to answer.
type Work = Box<
    dyn for<'c> FnOnce(Result<&'c mut SqliteConnection>, i64) -> Pending<'c, (Result<()>, Answer)> + Send,
>;

/// Sends work to the writing task.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Work>,
    /// Whether it was told to end.
    closing: watch::Sender<bool>,
    /// Held open by the task, which leaves why it ended if that was the disk's fault.
    ended: watch::Receiver<Option<StoreError>>,
}

impl Writer {
    /// Starts the task on the connection that all writes will use. It ends when it is closed, or with the last `Writer`.
    pub(super) fn start(connection: SqliteConnection, clock: Clock) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (closing, told) = watch::channel(false);
        let (alive, ended) = watch::channel(None);
        tokio::spawn(async move {
            // However the task ends, this end of the channel goes with it.
            if let Err(failure) = run(connection, clock, waiting, told).await {
                alive.send_replace(Some(failure));
            }
        });
        Writer { queue, closing, ended }
    }

    /// Does what was sent, refuses what comes later, and closes the connection.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        self.ended().await;
    }

    /// Resolves when the task has ended without having been told to, with the reason.
    pub(super) async fn broken(&self) -> StoreError {
        if let Some(failure) = self.ended().await {
            return failure;
        }
        if *self.closing.borrow() {
            std::future::pending::<()>().await;
        }
        StoreError::Unavailable("the task that writes to it broke down".to_owned())
    }

    async fn ended(&self) -> Option<StoreError> {
        let mut ended = self.ended.clone();
        // The error that comes in the end says that the task is gone.
        while ended.changed().await.is_ok() {}
        ended.borrow().clone()
    }

    /// Runs `statements`, given the time, in a transaction; answers after its commit. An error undoes them.
    pub(super) async fn write<T, F>(&self, statements: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection, i64) -> Pending<'c, Result<T>> + Send + 'static,
    {
        let stopped = || StoreError::Unavailable("its writer has stopped".to_owned());
        let (caller, answer) = oneshot::channel();
        let work: Work = Box::new(move |connection, now_ms| {
            Box::pin(async move {
                let outcome = match connection {
                    Ok(connection) => statements(connection, now_ms).await,
                    Err(error) => Err(error),
                };
                let kept = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
                let respond: Answer = Box::new(move |committed| {
                    // The caller may be gone; what was done stays done.
                    let _ = caller.send(committed.and(outcome));
                });
                (kept, respond)
            })
        });
        self.queue.send(work).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

async fn run(
    mut connection: SqliteConnection,
    clock: Clock,
    mut waiting: mpsc::Receiver<Work>,
    mut told: watch::Receiver<bool>,
) -> Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let closing = async {
            // An error: whoever could tell is gone, and so are all who send work.
            let _ = told.wait_for(|told| *told).await;
        };
        let count = tokio::select! {
            biased;
            count = waiting.recv_many(&mut batch, BATCH) => count,
            () = closing, if !waiting.is_closed() => {
                waiting.close();
                continue;
            }
        };
        if count == 0 {
            break;
        }
        let mut answers = Vec::with_capacity(batch.len());
        let committed = transact(&mut connection, clock.now_ms(), batch.drain(..), &mut answers).await;
        if let Err(error) = &committed {
            tracing::error!(%error, "a transaction was undone");
            // Fails if SQLite has undone it by itself, as it does when the disk is full; which is as good.
            let _ = connection.execute("rollback").await;
        }
        for answer in answers {
            answer(committed.clone());
        }
        if let Err(failure @ StoreError::Unflushed(_)) = committed {
            tracing::error!("no more is written: after a flush that failed nobody knows what is on the disk");
            return Err(failure);
        }
    }
    close(connection).await;
    Ok(())
}

/// Moves what is in the log into the file, which then is the whole database.
async fn close(mut connection: SqliteConnection) {
    let log = sqlx::query_scalar::<_, i64>("pragma wal_checkpoint(truncate)");
    match log.fetch_one(&mut connection).await {
        Ok(0) => {}
        Ok(_) => tracing::warn!("the database is in use elsewhere: its newest part stays in the `-wal` file"),
        Err(error) => tracing::error!(%error, "the newest part of the database stays in the `-wal` file"),
    }
    if let Err(error) = connection.close().await {
        tracing::error!(%error, "cannot close the database");
    }
}

/// One transaction over all of `batch`. Work that fails is undone alone; the error is its caller's. An error of the
/// transaction itself is everybody's.
async fn transact(
    connection: &mut SqliteConnection,
    now_ms: i64,
    batch: impl Iterator<Item = Work>,
    answers: &mut Vec<Answer>,
) -> Result<()> {
    let mut transaction = execute(connection, "begin immediate").await;
    for work in batch {
        if transaction.is_ok() {
            transaction = execute(connection, "savepoint work").await;
        }
        let open = transaction.clone().map(|()| &mut *connection);
        let (kept, answer) = work(open, now_ms).await;
        answers.push(answer);
        if transaction.is_ok() {
            transaction = match kept {
                Ok(()) => execute(connection, "release work").await,
                // Without the savepoint there is no transaction either: this error has ended it.
                Err(error) => execute(connection, "rollback to work; release work").await.map_err(|_| error),
            };
        }
    }
    transaction?;
    execute(connection, "commit").await
}

async fn execute(connection: &mut SqliteConnection, statement: &'static str) -> Result<()> {
    connection.execute(statement).await?;
    Ok(())
}
