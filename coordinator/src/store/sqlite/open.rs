//! Opening the file: lock, pragmas, checks, migrations.

use std::cmp::Ordering;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use super::log::make_durable;
use super::{SqliteStore, Writer, keep_earlier, queue};
use crate::clock::Clock;
use crate::store::migrations::SQLITE_MIGRATIONS;
use crate::store::{DatabaseUrl, OpenError, StoreError};

/// The oldest version in which writers and checkpoints in WAL mode cannot corrupt the file.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// Permissions of the files that are made: their user alone may read and write them.
pub(super) const PRIVATE: u32 = 0o600;

/// How often a lock is tried that somebody may have for a moment, and the time between.
const LOOKS: u32 = 5;
const LOOK: Duration = Duration::from_millis(20);

/// How many connections read.
const READERS: u32 = 4;
/// Rows that a connection reads ahead of whoever takes them: with few, the two wait for each other again and again.
const ROWS: usize = 1000;

impl SqliteStore {
    /// The file that a database URL names: `sqlite:FILE`.
    ///
    /// # Errors
    /// [`OpenError::Url`] for any other URL.
    pub fn path_of_url(url: &DatabaseUrl) -> Result<PathBuf, OpenError> {
        match url.with_password().strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(PathBuf::from(path.strip_prefix("//").unwrap_or(path))),
            _ => Err(OpenError::Url(url.clone())),
        }
    }

    /// Opens the database, or creates it where the file is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`], and nothing has changed: the file is in use by another coordinator, is no
    /// database, belongs to a newer version, or cannot be read and written.
    pub async fn open(path: &Path, clock: Clock) -> Result<Self, OpenError> {
        let failed = |doing, cause: &dyn std::fmt::Display| OpenError::Failed {
            doing,
            place: path.display().to_string(),
            cause: cause.to_string(),
        };
        let path = &named(path)?;
        let lock = lock_after_lookers(path).await?;
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
        check_settings(&mut writing, path)
            .await
            .map_err(|error| error.unwrap_or_else(|cause| failed("read", &cause)))?;
        make_durable(&mut writing, path).await.map_err(|error| failed("make durable", &error))?;
        migrate(&mut writing, path).await?;
        queue::look_again(&mut writing).await.map_err(|error| failed("write to", &error))?;
        while keep_earlier(&mut writing).await.map_err(|error| failed("write to", &error))? {}
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true).create_if_missing(false).row_buffer_size(ROWS))
            .await
            .map_err(|error| failed("open", &error))?;
        Ok(SqliteStore { readers, writer: Writer::start(writing, clock.clone()), clock, _lock: Some(lock) })
    }

    /// Opens the database to be read: beside a coordinator that serves it, or where there is none. Writes are refused, and
    /// nothing of the file changes.
    ///
    /// # Errors
    /// [`OpenError`]: there is no such file, it is no database, or belongs to another version.
    pub async fn open_to_read(path: &Path) -> Result<Self, OpenError> {
        let failed = |doing, cause: &dyn std::fmt::Display| OpenError::Failed {
            doing,
            place: path.display().to_string(),
            cause: cause.to_string(),
        };
        if !path.try_exists().map_err(|error| failed("open", &error))? {
            return Err(OpenError::Missing(path.to_owned()));
        }
        let options = SqliteConnectOptions::new()
            .filename(named(path)?)
            .read_only(true)
            .row_buffer_size(ROWS)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(options).await;
        let readers = readers.map_err(|error| failed("open", &error))?;
        let schema = sqlx::query_scalar("select coalesce(max(version), 0) from _sqlx_migrations");
        let schema: i64 = schema.fetch_one(&readers).await.map_err(|error| failed("read", &error))?;
        let newest = SQLITE_MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
        match schema.cmp(&newest) {
            Ordering::Less => return Err(OpenError::Older(path.to_owned())),
            Ordering::Equal => {}
            Ordering::Greater => {
                return Err(OpenError::Newer { place: path.display().to_string(), migration: schema });
            }
        }
        let writer = Writer::refusing(StoreError::OnlyRead(path.to_owned()));
        Ok(SqliteStore { readers, writer, clock: Clock::start(), _lock: None })
    }

    /// Whether a coordinator serves the database at this moment.
    ///
    /// # Errors
    /// [`OpenError`]: there is no such file, or nobody may look.
    pub fn is_served(path: &Path) -> Result<bool, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        match lock(&named(path)?) {
            Ok(_) => Ok(false),
            Err(OpenError::InUse(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// The path of the database's file without links and `..`, by which SQLite knows the file. The file is made if it is
/// missing.
///
/// A file with several names is refused: SQLite keeps the newest part of a database in files beside one of the names,
/// and would not find these by another name.
pub(super) fn named(path: &Path) -> Result<PathBuf, OpenError> {
    let failed = |cause: io::Error| OpenError::Failed {
        doing: "open",
        place: path.display().to_string(),
        cause: cause.to_string(),
    };
    let real = match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // SQLite gives the files that it puts beside the database the same permissions.
            File::options().create(true).append(true).mode(PRIVATE).open(path).map_err(failed)?;
            path.canonicalize()
        }
        found => found,
    };
    let real = real.map_err(failed)?;
    let names = real.metadata().map_err(failed)?.nlink();
    if names > 1 {
        return Err(OpenError::SeveralNames { place: path.to_owned(), names });
    }
    Ok(real)
}

/// As [`lock`]. Whoever only looks whether the database is served ([`SqliteStore::is_served`]) has the lock for a moment.
async fn lock_after_lookers(path: &Path) -> Result<File, OpenError> {
    for _ in 0..LOOKS {
        match lock(path) {
            Err(OpenError::InUse(_)) => tokio::time::sleep(LOOK).await,
            locked => return locked,
        }
    }
    lock(path)
}

/// An exclusive lock on a file beside the database. SQLite's own locks would not tell a second coordinator from
/// somebody who reads.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let failed = |cause: io::Error| OpenError::Failed {
        doing: "lock",
        place: lock_path.display().to_string(),
        cause: cause.to_string(),
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(PRIVATE)
        .open(&lock_path)
        .map_err(failed)?;
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

/// Reads the settings back that durability and consistency rest on: SQLite gives no error where it does not take a
/// setting.
async fn check_settings(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<(), Result<OpenError, sqlx::Error>> {
    const FULL: &str = "2";
    for (setting, query, expected) in [
        ("journal_mode = wal", "select journal_mode from pragma_journal_mode", "wal"),
        ("synchronous = full", "select cast(synchronous as text) from pragma_synchronous", FULL),
        ("foreign_keys = on", "select cast(foreign_keys as text) from pragma_foreign_keys", "1"),
    ] {
        let value: String = sqlx::query_scalar(query).fetch_one(&mut *connection).await.map_err(Err)?;
        if value != expected {
            return Err(Ok(OpenError::Setting { place: path.display().to_string(), setting, value }));
        }
    }
    Ok(())
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    SQLITE_MIGRATIONS.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(migration) => {
            OpenError::Newer { place: path.display().to_string(), migration }
        }
        error => OpenError::Failed {
            doing: "migrate",
            place: path.display().to_string(),
            cause: error.to_string(),
        },
    })
}
