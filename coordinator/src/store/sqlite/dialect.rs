//! What the shared statements (`store/sql/`) call by one name and SQLite by another.

pub(super) type Connection = sqlx::SqliteConnection;
pub(super) type Pool = sqlx::SqlitePool;
pub(super) type Row = sqlx::sqlite::SqliteRow;

/// Elements of the JSON array of words bound at `$n`, as a query.
macro_rules! elements {
    ($array:literal) => {
        concat!("select value from json_each(", $array, ")")
    };
}
pub(super) use elements;

/// Locks the rows that are read until the transaction ends. Nobody else writes here: nothing to lock.
macro_rules! for_update {
    () => {
        ""
    };
}
pub(super) use for_update;

/// As [`for_update`], passing over rows that somebody else has locked.
macro_rules! skip_locked {
    () => {
        ""
    };
}
pub(super) use skip_locked;

/// A condition that matters where several coordinators share a database, so that a lease which another one has just
/// granted is not shortened. There is one here, and the clock may have been set back since leases were granted.
macro_rules! if_shared {
    ($condition:literal) => {
        ""
    };
}
pub(super) use if_shared;
