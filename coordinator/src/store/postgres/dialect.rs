//! What the shared statements (`store/sql/`) call by one name and Postgres by another.

pub(super) type Connection = sqlx::PgConnection;
pub(super) type Pool = sqlx::PgPool;
pub(super) type Row = sqlx::postgres::PgRow;

/// Elements of the JSON array of words bound at `$n`, as a query.
macro_rules! elements {
    ($array:literal) => {
        concat!("select jsonb_array_elements_text(", $array, "::jsonb)")
    };
}
pub(super) use elements;

/// Locks the rows that are read until the transaction ends.
macro_rules! for_update {
    () => {
        " for update"
    };
}
pub(super) use for_update;

/// As [`for_update`], passing over rows that somebody else has locked.
macro_rules! skip_locked {
    () => {
        " for update skip locked"
    };
}
pub(super) use skip_locked;

/// A condition that matters where several coordinators share a database, so that a lease which another one has just
/// granted is not shortened.
macro_rules! if_shared {
    ($condition:literal) => {
        $condition
    };
}
pub(super) use if_shared;
