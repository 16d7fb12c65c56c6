//! Connecting: settings, checks, migrations.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};

use super::{PostgresStore, Writer};
use crate::clock::ManualClock;
use crate::store::{DatabaseUrl, OpenError};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/postgres");

/// The oldest server that the statements are written for.
const OLDEST_SERVER: i32 = 140_000;
/// Connections that read, that write, and that renew leases, of one coordinator.
const READERS: u32 = 4;
const WRITERS: u32 = 8;
const RENEWERS: u32 = 2;
/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// Limits of each session: a statement, a wait for a lock, a transaction whose coordinator is gone.
const LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "10s"), ("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "10s")];
/// A migration takes as long as it takes: on a large database minutes, for which other coordinators wait.
const NO_LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0")];

impl PostgresStore {
    /// Connects to the database that `url` names, and brings its schema up to date. `clock` replaces the database's
    /// clock in tests.
    ///
    /// # Errors
    /// [`OpenError`]: there is no such database, it does not keep what it acknowledges, or it belongs to a newer
    /// version. It never holds the URL's password.
    pub async fn open(url: &str, clock: Option<ManualClock>) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::Url(url.into()))?;
        let options = options.application_name("acai").options(LIMITS).disable_statement_logging();
        let place = DatabaseUrl::from(url).to_string();
        let failed = |doing, cause: &dyn std::fmt::Display| OpenError::Failed {
            doing,
            place: place.clone(),
            cause: cause.to_string(),
        };
        let pool = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .connect_with(options.clone())
        };
        let writers = pool(WRITERS).await.map_err(|error| failed("connect to", &error))?;
        check_settings(&writers, &place)
            .await
            .map_err(|error| error.unwrap_or_else(|cause| failed("read", &cause)))?;
        let migrating = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        let migrating = migrating.connect_with(options.clone().options(NO_LIMITS)).await;
        let migrating = migrating.map_err(|error| failed("connect to", &error))?;
        MIGRATIONS.run(&migrating).await.map_err(|error| match error {
            MigrateError::VersionMissing(migration) => OpenError::Newer { place: place.clone(), migration },
            error => failed("migrate", &error),
        })?;
        migrating.close().await;
        let readers = pool(READERS).await.map_err(|error| failed("connect to", &error))?;
        let renewers = pool(RENEWERS).await.map_err(|error| failed("connect to", &error))?;
        Ok(PostgresStore {
            readers,
            writer: Writer::new(writers, clock.clone()),
            renewing: Writer::new(renewers, clock),
        })
    }
}

/// A server that may lose what it has committed cannot keep our promise.
async fn check_settings(pool: &PgPool, place: &str) -> Result<(), Result<OpenError, sqlx::Error>> {
    let version: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int")
        .fetch_one(pool)
        .await
        .map_err(Err)?;
    if version < OLDEST_SERVER {
        return Err(Ok(OpenError::ServerVersion(version / 10_000)));
    }
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let value: String = sqlx::query_scalar("select current_setting($1)")
            .bind(setting)
            .fetch_one(pool)
            .await
            .map_err(Err)?;
        if value == "off" {
            return Err(Ok(OpenError::NotDurable { place: place.to_owned(), setting }));
        }
    }
    Ok(())
}
