//! What can go wrong in a store, by what the caller can do about it.

use std::path::PathBuf;

use super::AttemptRef;

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
    /// The disk is full; room may come.
    #[error("the database has no room left on its disk")]
    Full,
    /// A row does not read back as it must have been written.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The database failed; trying again may help.
    #[error("the database failed: {0}")]
    Unavailable(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        const SQLITE_FULL: &str = "13";
        match &error {
            sqlx::Error::Database(database) if database.code().as_deref() == Some(SQLITE_FULL) => {
                StoreError::Full
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                StoreError::Corrupt(error.to_string())
            }
            _ => StoreError::Unavailable(error.to_string()),
        }
    }
}

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a URL that names a store.
    #[error("`{0}` names no database\nhint: write `sqlite:FILE`, such as `sqlite:acai.db`")]
    Url(String),
    /// Another coordinator has it.
    #[error(
        "another coordinator is using `{}`\nhint: stop it, or submit to it instead of starting a second one",
        .0.display()
    )]
    InUse(PathBuf),
    /// Written by a later version of this program.
    #[error(
        "`{}` was written by a newer version of acai (its migration {migration} is unknown here)\nhint: use that version, or another database file",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Number of the first migration that this program lacks.
        migration: i64,
    },
    /// SQLite before 3.51.3 can corrupt a database in WAL mode.
    #[error("SQLite {0} is too old: 3.51.3 or newer is needed")]
    SqliteVersion(String),
    /// Anything else.
    #[error("cannot {doing} `{}`: {cause}", path.display())]
    Failed {
        /// What was attempted.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system or the database said.
        cause: String,
    },
}
