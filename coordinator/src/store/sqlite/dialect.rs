//! What the shared statements (`store/sql/`) call by one name and SQLite by another.

pub(super) use super::points::{insert_all, insert_missing};

pub(super) type Connection = sqlx::SqliteConnection;
pub(super) type Row = sqlx::sqlite::SqliteRow;

/// Whether rows have locks: one transaction writes at a time, so there is nothing to lock.
pub(super) const HAS_ROW_LOCKS: bool = false;

/// Elements of the JSON array of words bound at `$n`, as a query.
macro_rules! elements {
    ($array:literal) => {
        concat!("select value from json_each(", $array, ")")
    };
}
pub(super) use elements;

/// Elements of the JSON array bound at `$n`, as a table with the column `value`.
macro_rules! items {
    ($array:literal) => {
        concat!("json_each(", $array, ")")
    };
}
pub(super) use items;

/// Whether a number is in the JSON array of numbers bound at `$n`; for a column by which an index finds each of them.
macro_rules! among {
    ($array:literal) => {
        concat!("in (select value from json_each(", $array, "))")
    };
}
/// As [`among`], for rows that are read anyhow, each of which is looked up in the array.
pub(super) use among as is_one_of;
pub(super) use among;

/// Locks the rows that are read until the transaction ends. On SQLite nobody else writes at the same time, so there is
/// nothing to lock.
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
