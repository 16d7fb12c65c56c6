//! Connecting: settings, checks, migrations.

use std::str::FromStr;

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::limits::Limits;
use super::pool::{Pool, connect};
use super::{PostgresStore, Writer, keep_earlier, queue};
use crate::clock::ManualClock;
use crate::store::migrations::POSTGRES_MIGRATIONS;
use crate::store::{DatabaseUrl, OpenError};

/// The oldest server that the statements are written for.
const OLDEST_SERVER: i32 = 140_000;
/// How many connections of one coordinator read, write, and renew leases.
const READERS: u32 = 4;
const WRITERS: u32 = 8;
const RENEWERS: u32 = 2;
/// Settings of each session: limits of a statement, of a wait for a lock, and of a transaction whose coordinator is
/// gone. The server ends the session of a coordinator that it did not hear of for a minute, so that dead sessions do
/// not add up.
const SESSION: [(&str, &str); 6] = [
    ("statement_timeout", "10s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];
/// Settings of the session that migrates. On a large database a migration takes minutes, for which other coordinators
/// wait.
const NO_LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0")];
/// What is said of a server that gave no answer in time.
const SILENT: &str = "it does not answer";

impl PostgresStore {
    /// Connects to the database that `url` names, and brings its schema up to date. `clock` replaces the database's
    /// clock in tests.
    ///
    /// # Errors
    /// [`OpenError`]: there is no such database, it does not keep what it acknowledges, or it belongs to a newer
    /// version. It never holds the URL's password.
    pub async fn open(url: &str, clock: Option<ManualClock>) -> Result<Self, OpenError> {
        Self::open_with(url, clock, Limits::default()).await
    }

    /// As [`open`](Self::open), with limits for how long the server is waited for.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(url: &str, clock: Option<ManualClock>, limits: Limits) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::Url(url.into()))?;
        let options = options.application_name("acai").options(SESSION).disable_statement_logging();
        let place = DatabaseUrl::from(url).to_string();
        let failed = |doing, cause: &dyn std::fmt::Display| OpenError::Failed {
            doing,
            place: place.clone(),
            cause: cause.to_string(),
        };
        let connected = connect(&options, Instant::now() + limits.connect).await;
        let mut connection = connected.map_err(|error| failed("connect to", &error))?;
        timeout(limits.short, check_settings(&mut connection, &place))
            .await
            .map_err(|_| failed("read", &SILENT))?
            .map_err(|error| error.unwrap_or_else(|cause| failed("read", &cause)))?;
        let migrating = options.clone().options(NO_LIMITS);
        let migrating = connect(&migrating, Instant::now() + limits.connect).await;
        let mut migrating = migrating.map_err(|error| failed("connect to", &error))?;
        let migrated = tokio::select! {
            migrated = POSTGRES_MIGRATIONS.run(&mut migrating) => migrated,
            () = until_silent(&mut connection, limits) => return Err(failed("migrate", &SILENT)),
        };
        migrated.map_err(|error| match error {
            MigrateError::VersionMissing(migration) => OpenError::Newer { place: place.clone(), migration },
            error => failed("migrate", &error),
        })?;
        timeout(limits.transaction, queue::look_again(&mut connection))
            .await
            .map_err(|_| failed("write to", &SILENT))?
            .map_err(|error| failed("write to", &error))?;
        while timeout(limits.transaction, keep_earlier(&mut connection))
            .await
            .map_err(|_| failed("write to", &SILENT))?
            .map_err(|error| failed("write to", &error))?
        {}
        let pool = |size, limit| Pool::new(options.clone(), size, limits.connect, limit);
        Ok(PostgresStore {
            readers: pool(READERS, limits.short),
            writer: Writer::new(pool(WRITERS, limits.transaction), clock.clone()),
            renewing: Writer::new(pool(RENEWERS, limits.short), clock),
        })
    }
}

/// Resolves when the server does not answer any more.
async fn until_silent(connection: &mut PgConnection, limits: Limits) {
    while let Ok(Ok(())) = timeout(limits.short, connection.ping()).await {
        sleep(limits.connect).await;
    }
}

/// Refuses a server that is too old, or that may lose what it has committed: nothing could be acknowledged on it.
async fn check_settings(
    connection: &mut PgConnection,
    place: &str,
) -> Result<(), Result<OpenError, sqlx::Error>> {
    let version: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int")
        .fetch_one(&mut *connection)
        .await
        .map_err(Err)?;
    if version < OLDEST_SERVER {
        return Err(Ok(OpenError::ServerVersion(version / 10_000)));
    }
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let value: String = sqlx::query_scalar("select current_setting($1)")
            .bind(setting)
            .fetch_one(&mut *connection)
            .await
            .map_err(Err)?;
        if value == "off" {
            return Err(Ok(OpenError::NotDurable { place: place.to_owned(), setting }));
        }
    }
    Ok(())
}
