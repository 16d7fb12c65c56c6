//! What the shared statements (`store/sql/`) call by one name and Postgres by another.
//!
//! Postgres takes a set of JSON elements for a hundred rows, and then reads a table of two thousand rows as a whole in place of
//! the few rows that are meant. An array it takes for ten elements, and looks up each of them by an index.

pub(super) use super::points::{insert_all, insert_missing};

pub(super) type Connection = sqlx::PgConnection;
pub(super) type Row = sqlx::postgres::PgRow;

/// Whether rows have locks.
pub(super) const HAS_ROW_LOCKS: bool = true;

/// Elements of the JSON array of words bound at `$n`, as a query.
macro_rules! elements {
    ($array:literal) => {
        concat!("select jsonb_array_elements_text(", $array, "::jsonb)")
    };
}
pub(super) use elements;

/// Elements of the JSON array bound at `$n`, as a table with the column `value`.
macro_rules! items {
    ($array:literal) => {
        concat!("unnest(array(select value from jsonb_array_elements(", $array, "::jsonb))) as items (value)")
    };
}
pub(super) use items;

/// Whether a number is in the JSON array of numbers bound at `$n`; for a column by which an index finds each of them.
macro_rules! among {
    ($array:literal) => {
        concat!("= any (array(select value::bigint from jsonb_array_elements_text(", $array, "::jsonb)))")
    };
}
pub(super) use among;

/// As [`among`], for rows that are read anyhow, each of which is looked up in the array.
macro_rules! is_one_of {
    ($array:literal) => {
        concat!("in (select value::bigint from jsonb_array_elements_text(", $array, "::jsonb))")
    };
}
pub(super) use is_one_of;

/// Locks the rows that are read until the transaction ends.
macro_rules! for_update {
    () => {
        " for no key update"
    };
}
pub(super) use for_update;

/// As [`for_update`], passing over rows that somebody else has locked.
macro_rules! skip_locked {
    () => {
        " for no key update skip locked"
    };
}
pub(super) use skip_locked;
