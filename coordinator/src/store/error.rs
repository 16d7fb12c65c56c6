//! What can go wrong in a store, by what the caller can do about it.

use std::path::PathBuf;

use sqlx::error::ErrorKind;

use super::{AttemptRef, DatabaseUrl, Excess};

/// A store method that changed nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The attempt does not hold its run (any more): the worker must end it.
    #[error("attempt {} of run {} does not hold the run any more", .0.number, .0.run)]
    Fenced(AttemptRef),
    /// The worker has to register first.
    #[error("worker `{0}` is not registered")]
    UnknownWorker(String),
    /// The request contradicts what is stored.
    #[error("{0}")]
    Conflict(String),
    /// The sweep's plan has no run of this number.
    #[error("the sweep's plan has no run {number}; `acai runs` lists those that it has")]
    NoSuchRun {
        /// As it was asked for.
        number: u32,
    },
    /// The sweep has not had that many events.
    #[error(
        "the sweep has had {last} events, so none after number {after} can follow; the number is of another sweep, or the coordinator's database was restored from a backup\nhint: begin again after event {last}, or after 0 for all of them"
    )]
    NoSuchEvent {
        /// As it was asked for.
        after: u64,
        /// The last one.
        last: u64,
    },
    /// The event at this place is another one than the caller has seen.
    #[error(
        "event {0} is another one now than the one that was shown: the coordinator's database was restored from a backup, and has gone on from there\nhint: begin again after an event that is older than the backup, or after 0 for all of them"
    )]
    OtherEvent(u64),
    /// The bearers of a token would have more than they may.
    #[error("{0}")]
    OverLimit(Box<Excess>),
    /// What was sent cannot be stored, however often it is sent.
    #[error("the database does not take that: {0}")]
    Unstorable(String),
    /// Another transaction was in the way, again and again.
    #[error("the database is busy: {0}")]
    Collision(String),
    /// The database was opened to be read.
    #[error(
        "`{}` is only read by this command, since no coordinator serves it\nhint: `acai coordinator --db sqlite:{}` serves it; `acai run FILE` trains in it",
        .0.display(), .0.display()
    )]
    OnlyRead(PathBuf),
    /// The disk is full. Writes may succeed later, when there is room again.
    #[error("the database has no room left on its disk")]
    Full,
    /// The disk of a database file did not flush what was written. Nobody knows how much of that is on the disk.
    #[error("the database's disk does not flush what is written to it: {0}")]
    Unflushed(String),
    /// A row does not read back as it must have been written.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A run has a configuration that this version cannot read, although nothing is wrong with the run.
    #[error(
        "a run of the database was stored by another version of acai and cannot be read here: {0}\nhint: use the newest version that has used this database"
    )]
    OtherVersion(String),
    /// The database failed; trying again may help.
    #[error("the database failed: {0}")]
    Unavailable(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        /// SQLite's SQLITE_FULL; Postgres' disk_full.
        const FULL: [&str; 2] = ["13", "53100"];
        /// Postgres' serialization_failure, deadlock_detected and lock_not_available.
        const COLLISION: [&str; 3] = ["40001", "40P01", "55P03"];
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        let is_in = |codes: &[&str]| code.as_deref().is_some_and(|code| codes.contains(&code));
        match &error {
            _ if is_in(&FULL) => StoreError::Full,
            _ if is_unflushed(&error) => StoreError::Unflushed(error.to_string()),
            _ if is_in(&COLLISION) => StoreError::Collision(error.to_string()),
            _ if is_refusal(&error) => StoreError::Unstorable(error.to_string()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                StoreError::Corrupt(error.to_string())
            }
            _ => StoreError::Unavailable(error.to_string()),
        }
    }
}

/// Whether a flush of SQLite failed. After other I/O errors nothing is taken for durable that is not, since it is
/// written again. The flushes of a Postgres server are that server's to care for.
fn is_unflushed(error: &sqlx::Error) -> bool {
    /// SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC.
    const FLUSH: [&str; 2] = ["1034", "1290"];
    let Some(error) = error.as_database_error() else { return false };
    let is_sqlite = error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some();
    is_sqlite && error.code().is_some_and(|code| FLUSH.contains(&&*code))
}

/// Whether it is the values that the database refuses, by a constraint or because it has no such value.
fn is_refusal(error: &sqlx::Error) -> bool {
    /// Postgres' class of data exceptions.
    const DATA: &str = "22";
    let Some(error) = error.as_database_error() else { return false };
    !matches!(error.kind(), ErrorKind::Other)
        || error.code().is_some_and(|code| code.len() == 5 && code.starts_with(DATA))
}

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a URL that names a store.
    #[error(
        "`{0}` names no database\nhint: write `sqlite:FILE`, such as `sqlite:acai.db`, or `postgres://USER@HOST/DATABASE`; or `memory:` for a try-out that leaves nothing behind"
    )]
    Url(DatabaseUrl),
    /// Another coordinator has it.
    #[error(
        "another coordinator is using `{}`\nhint: stop it, or submit to it instead of starting a second one",
        .0.display()
    )]
    InUse(PathBuf),
    /// The file has hard links.
    #[error(
        "`{}` is one of {names} names of its file; by another one the newest part of the database would be missing\nhint: remove the other names (`find / -samefile FILE` lists them), or use a copy of the file",
        .place.display()
    )]
    SeveralNames {
        /// The name that was given.
        place: PathBuf,
        /// How many there are.
        names: u64,
    },
    /// There is no such file.
    #[error("there is no database `{}`", .0.display())]
    Missing(PathBuf),
    /// Written by an earlier version of this program, and opened to be read.
    #[error(
        "`{}` was written by an earlier version of acai, and is brought up to date only by a coordinator\nhint: start `acai coordinator --db sqlite:{}` once, or use the version that wrote it",
        .0.display(), .0.display()
    )]
    Older(PathBuf),
    /// Written by a later version of this program.
    #[error(
        "`{place}` was written by a newer version of acai (its migration {migration} is unknown here)\nhint: use that version, or another database"
    )]
    Newer {
        /// The file, or the URL without its password.
        place: String,
        /// Number of the first migration that this program lacks.
        migration: i64,
    },
    /// SQLite before 3.51.3 can corrupt a database in WAL mode.
    #[error("SQLite {0} is too old: 3.51.3 or newer is needed")]
    SqliteVersion(String),
    /// SQLite does not do what was asked of it.
    #[error("SQLite does not keep `{setting}` on `{place}`: {value}; is it on a network file system?")]
    Setting {
        /// The file.
        place: String,
        /// Name of the setting.
        setting: &'static str,
        /// What it is.
        value: String,
    },
    /// Postgres before 14 lacks what the statements use.
    #[error("Postgres {0} is too old: 14 or newer is needed")]
    ServerVersion(i32),
    /// The server may lose what it has committed.
    #[error(
        "`{setting}` is off on the server of `{place}`, so it may lose what it has acknowledged\nhint: turn it on, or use another server"
    )]
    NotDurable {
        /// The URL without its password.
        place: String,
        /// Name of the setting.
        setting: &'static str,
    },
    /// Anything else.
    #[error("cannot {doing} `{place}`: {cause}")]
    Failed {
        /// What was attempted.
        doing: &'static str,
        /// The file, or the URL without its password.
        place: String,
        /// What the system or the database said.
        cause: String,
    },
}
