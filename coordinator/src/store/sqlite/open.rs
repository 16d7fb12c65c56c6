//! Opening the file: lock, pragmas, checks, migrations.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use super::{SqliteStore, Writer};
use crate::store::OpenError;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// Before it, writers and checkpoints in WAL mode can corrupt the file.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// Connections that read.
const READERS: u32 = 4;

impl SqliteStore {
    /// The file that a database URL names: `sqlite:FILE`.
    ///
    /// # Errors
    /// [`OpenError::Url`] for any other URL.
    pub fn path_of_url(url: &str) -> Result<PathBuf, OpenError> {
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(PathBuf::from(path.strip_prefix("//").unwrap_or(path))),
            _ => Err(OpenError::Url(url.to_owned())),
        }
    }

    /// Opens the database, or creates it where the file is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`], and nothing has changed: the file is in use by another coordinator, is no
    /// database, belongs to a newer version, or cannot be read and written.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |doing, cause: &dyn std::fmt::Display| OpenError::Failed {
            doing,
            path: path.to_owned(),
            cause: cause.to_string(),
        };
        let lock = lock(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let mut writing = options.connect().await.map_err(|error| failed("open", &error))?;
        check_version(&mut writing)
            .await
            .map_err(|error| error.unwrap_or_else(|cause| failed("read", &cause)))?;
        migrate(&mut writing, path).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(|error| failed("open", &error))?;
        Ok(SqliteStore { readers, writer: Writer::start(writing), _lock: lock })
    }
}

/// An exclusive lock beside the database: SQLite's own would not tell a second coordinator apart
/// from a reader.
fn lock(path: &Path) -> Result<File, OpenError> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let failed = |cause: std::io::Error| OpenError::Failed {
        doing: "lock",
        path: lock_path.clone(),
        cause: cause.to_string(),
    };
    let file = File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

async fn check_version(connection: &mut SqliteConnection) -> Result<(), Result<OpenError, sqlx::Error>> {
    let version: String =
        sqlx::query_scalar("select sqlite_version()").fetch_one(connection).await.map_err(Err)?;
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    if (next(), next(), next()) < OLDEST_SQLITE {
        return Err(Ok(OpenError::SqliteVersion(version)));
    }
    Ok(())
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    MIGRATIONS.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(migration) => OpenError::Newer { path: path.to_owned(), migration },
        error => OpenError::Failed { doing: "migrate", path: path.to_owned(), cause: error.to_string() },
    })
}
