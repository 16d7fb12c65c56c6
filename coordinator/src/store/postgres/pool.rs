//! A few connections to the server, each lent to one call at a time.
//!
//! sqlx's own pool asks each connection that comes back whether it still works, and has no limit for the answer. If the
//! server has vanished, it waits as long as the kernel does. So this pool replaces it. Here a connection belongs to the
//! call that it is lent to. A call that ends in order gives the connection back. With any other call the connection is
//! closed, also when the call is dropped.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::limits::Limit;
use crate::store::{Result, StoreError};

/// A connection that nobody needed for this long is closed: a firewall or the like on its way may have forgotten it.
const IDLE: Duration = Duration::from_secs(600);
/// A connection is not lent again after this long, since the memory of the server's session only grows.
const AGE: Duration = Duration::from_secs(1800);
/// A connection that was idle for less than this is lent without asking the server whether it still answers.
const FRESH: Duration = Duration::from_secs(1);
/// The server is asked again after this long if it refuses a connection.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The pause before the server is asked again doubles each time, up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Connections, made when they are needed.
#[derive(Debug, Clone)]
pub(super) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: PgConnectOptions,
    size: u32,
    connect: Duration,
    limit: Limit,
    permits: Arc<Semaphore>,
    closed: AtomicBool,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: PgConnection,
    opened: Instant,
    since: Instant,
}

/// A connection that is lent.
#[derive(Debug)]
pub(super) struct Lent {
    connection: PgConnection,
    opened: Instant,
    pool: Pool,
    _permit: OwnedSemaphorePermit,
}

impl Lent {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// The limit of time for what is done on the connection.
    pub(super) fn limit(&self) -> Limit {
        self.pool.0.limit
    }

    /// Lets others have the connection. If this answer says that the server failed, the connection is closed, and the
    /// idle ones with it: they have probably failed too.
    pub(super) fn give_back<T>(self, answer: &Result<T>) {
        let Lent { connection, opened, pool, _permit } = self;
        if matches!(answer, Err(StoreError::Unavailable(_))) {
            pool.idle().clear();
        } else if !pool.is_closed() && opened.elapsed() < AGE {
            pool.idle().push(Idle { connection, opened, since: Instant::now() });
        }
    }
}

impl Pool {
    /// A pool of up to `size` connections. `connect` limits the time in which one is made, `limit` that of what is done
    /// on one.
    pub(super) fn new(options: PgConnectOptions, size: u32, connect: Duration, limit: Duration) -> Pool {
        Pool(Arc::new(Shared {
            options,
            size,
            connect,
            limit: Limit(limit),
            permits: Arc::new(Semaphore::new(size as usize)),
            closed: AtomicBool::new(false),
            idle: Mutex::default(),
        }))
    }

    /// A connection that answers; an error if there is none in time.
    pub(super) async fn lend(&self) -> Result<Lent> {
        let closed = || StoreError::Unavailable("it is closed".to_owned());
        let deadline = Instant::now() + self.0.connect;
        let permit = timeout_at(deadline, Arc::clone(&self.0.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| {
            StoreError::Unavailable(format!("all connections to it are in use, since {:?}", self.0.connect))
        })?;
        let permit = permit.map_err(|_| closed())?;
        if self.is_closed() {
            return Err(closed());
        }
        let (connection, opened) = match self.find_idle().await {
            Some(Idle { connection, opened, .. }) => (connection, opened),
            None => (connect(&self.0.options, deadline).await?, Instant::now()),
        };
        Ok(Lent { connection, opened, pool: self.clone(), _permit: permit })
    }

    /// An idle connection that answers.
    async fn find_idle(&self) -> Option<Idle> {
        loop {
            let mut found = self.idle().pop()?;
            if found.since.elapsed() > IDLE {
                continue;
            }
            if found.since.elapsed() < FRESH {
                return Some(found);
            }
            // The other half of the time is for a new connection.
            match timeout(self.0.connect / 2, found.connection.ping()).await {
                Ok(Ok(())) => return Some(found),
                Ok(Err(_)) => {}
                Err(_) => {
                    tracing::warn!("the database does not answer on a connection: new ones are made");
                    self.idle().clear();
                }
            }
        }
    }

    /// Lends nothing any more, waits for what is lent, and closes the connections.
    pub(super) async fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        // A call that is lent a connection may first have to make it, and then has the limit of time for its work.
        let all = timeout(self.0.connect + self.0.limit.0, self.0.permits.acquire_many(self.0.size)).await;
        if all.is_err() {
            tracing::error!("somebody still uses the database while it is closed");
        }
        self.0.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        let ends = async {
            for Idle { connection, .. } in idle {
                // In order, so that the server ends the session at once. An error changes nothing.
                let _ = connection.close().await;
            }
        };
        let _ = timeout(self.0.connect, ends).await;
    }

    fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::SeqCst)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new connection; a server that is starting, or has no session left, is asked again until `deadline`.
pub(super) async fn connect(
    options: &PgConnectOptions,
    deadline: Instant,
) -> std::result::Result<PgConnection, sqlx::Error> {
    let mut pause = FIRST_PAUSE;
    loop {
        let silent = || sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"));
        match timeout_at(deadline, options.connect()).await.unwrap_or_else(|_| Err(silent())) {
            Err(error) if passes(&error) && Instant::now() + pause < deadline => {
                sleep(pause).await;
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// Whether a server that does not take a connection may take one in a moment.
fn passes(error: &sqlx::Error) -> bool {
    /// Postgres' too_many_connections and cannot_connect_now.
    const PASSING: [&str; 2] = ["53300", "57P03"];
    match error {
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| PASSING.contains(&&*code)),
        _ => false,
    }
}
