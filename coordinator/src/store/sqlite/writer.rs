//! The one task that writes.
//!
//! Callers send work to the task and wait for the answer. A caller that goes away (a client hung up, a deadline passed)
//! only loses the answer: its work is done all the same. All work that is queued when a transaction begins is done in
//! that transaction, each piece in a savepoint of its own, and all answers follow the one commit. So under load one
//! fsync serves many requests.
//!
//! A flush that fails ends the task, and with it the server: the system may then believe that what was written is on
//! the disk, so that the next flush succeeds without writing it, and nothing that rests on it may be acknowledged. The
//! coordinator that opens the file next writes the log once more ([`super::log`]).

use std::future::Future;
use std::pin::Pin;

use sqlx::{Connection, Executor, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::store::{Result, StoreError};

/// How many pieces of work may be queued. Callers with more work wait until there is room.
const QUEUE: usize = 1024;
/// How many pieces of work one transaction has at the most.
const BATCH: usize = 256;

type Pending<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;

/// Given the outcome of the commit, sends the caller its answer.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

/// A piece of work. It is given the connection, if there is a transaction on it, and the time; runs its statements; and
/// answers whether to keep what they did, and how to answer the caller.
type Work = Box<
    dyn for<'c> FnOnce(Result<&'c mut SqliteConnection>, i64) -> Pending<'c, (Result<()>, Answer)> + Send,
>;

/// Sends work to the writing task.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Work>,
    /// Tells the task to end.
    closing: watch::Sender<bool>,
    /// Held open by the task. When the task ends over a fault of the disk, it leaves the error here.
    ended: watch::Receiver<Option<StoreError>>,
}

impl Writer {
    /// A writer that does nothing, and answers each write with this error.
    pub(super) fn refusing(refusal: StoreError) -> Self {
        let (queue, _) = mpsc::channel(1);
        let (_, ended) = watch::channel(Some(refusal));
        Writer { queue, closing: watch::Sender::new(true), ended }
    }

    /// Starts the task on the connection that all writes will use. It ends when it is closed, or with the last
    /// `Writer`.
    pub(super) fn start(connection: SqliteConnection, clock: Clock) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (closing, told) = watch::channel(false);
        let (alive, ended) = watch::channel(None);
        tokio::spawn(async move {
            // The channel is closed however the task ends, since its sender is dropped with the task.
            if let Err(failure) = run(connection, clock, waiting, told).await {
                alive.send_replace(Some(failure));
            }
        });
        Writer { queue, closing, ended }
    }

    /// Does the work that was sent, refuses what comes later, and closes the connection.
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
        // An error comes when the task is gone.
        while ended.changed().await.is_ok() {}
        ended.borrow().clone()
    }

    /// Runs `statements`, given the time, in a transaction; answers after its commit. An error undoes them.
    pub(super) async fn write<T, F>(&self, statements: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection, i64) -> Pending<'c, Result<T>> + Send + 'static,
    {
        let reason = || self.ended.borrow().clone();
        let stopped =
            || reason().unwrap_or_else(|| StoreError::Unavailable("its writer has stopped".to_owned()));
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
            // An error comes when all who could tell the task to end are gone. They are also all who send work.
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
            // This fails if SQLite has undone the transaction by itself, as it does when the disk is full; then nothing
            // is left to undo.
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

/// Moves what is in the log into the file, which then is the whole database, and closes the connection.
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

/// Does all work of `batch` in one transaction. Work that fails is undone alone, and its caller gets the error. An
/// error of the transaction itself goes to all callers.
async fn transact(
    connection: &mut SqliteConnection,
    now_ms: i64,
    batch: impl Iterator<Item = Work>,
    answers: &mut Vec<Answer>,
) -> Result<()> {
    // Each call to the database costs about as much as a small statement, so the savepoints are set and released in as few
    // as possible.
    let mut transaction = execute(connection, "begin immediate; savepoint work").await;
    for work in batch {
        let open = transaction.clone().map(|()| &mut *connection);
        let (kept, answer) = work(open, now_ms).await;
        answers.push(answer);
        if transaction.is_ok() {
            transaction = match kept {
                Ok(()) => execute(connection, "release work; savepoint work").await,
                // Without the savepoint there is no transaction either: this error has ended it.
                Err(error) => execute(connection, "rollback to work").await.map_err(|_| error),
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
