//! How values are kept in columns: read from rows, and made ready to be bound to a statement.
//!
//! Every module beside this one may use it, and it uses none of them.

use acai_sweep::configuration::{Configuration, ConfigurationError};
use acai_sweep::results::Summary;
use acai_sweep::run::{Desired, RunState};
use sqlx::Row as _;

use super::dialect::Row;
use crate::store::{AttemptRef, Result, StoreError};

/// A count or an id. The database's integers are signed, and the ones that are read by this are never negative.
pub(super) fn unsigned<T: TryFrom<i64>>(row: &Row, column: &str) -> Result<T> {
    let value: i64 = row.try_get(column)?;
    T::try_from(value).map_err(|_| StoreError::Corrupt(format!("`{column}` is {value}")))
}

/// A run's seed, whose 64 bits are stored as a signed number.
pub(super) fn seed(row: &Row) -> Result<u64> {
    Ok(row.try_get::<i64, _>("seed")?.cast_unsigned())
}

/// A run's state.
pub(super) fn state(row: &Row) -> Result<RunState> {
    let word: &str = row.try_get("state")?;
    word.parse().map_err(|_| StoreError::Corrupt(format!("`{word}` is no state of a run")))
}

/// What the worker that holds the run has been asked to give it back for.
pub(super) fn desired(row: &Row) -> Result<Option<Desired>> {
    match row.try_get::<Option<&str>, _>("desired")? {
        None => Ok(None),
        Some("cancelled") => Ok(Some(Desired::Cancelled)),
        Some("paused") => Ok(Some(Desired::Paused)),
        Some(word) => Err(StoreError::Corrupt(format!("`{word}` is nothing that can be desired"))),
    }
}

/// What is known of a metric without reading its points.
pub(super) fn summary(row: &Row) -> Result<Summary> {
    let count: i64 = row.try_get("count")?;
    Ok(Summary {
        last: row.try_get("last")?,
        min: row.try_get("min")?,
        max: row.try_get("max")?,
        mean: row.try_get::<f64, _>("sum")? / count as f64,
    })
}

/// What a run trains.
pub(super) fn configuration(row: &Row) -> Result<Configuration> {
    let json: &str = row.try_get("config")?;
    Configuration::from_json(json).map_err(|error| match error {
        ConfigurationError::Parameter(error) => StoreError::OtherVersion(error.to_string()),
        error => StoreError::Corrupt(format!("`{json}`: {error}")),
    })
}

/// An attempt, from the columns `id` (of its run), `number` and `token`.
pub(super) fn attempt_ref(row: &Row) -> Result<AttemptRef> {
    Ok(AttemptRef { run: row.try_get("id")?, number: unsigned(row, "number")?, token: token(row)? })
}

/// An attempt's token. It is missing on attempts that version 0.1.0 granted.
pub(super) fn token(row: &Row) -> Result<u64> {
    Ok(row.try_get::<Option<i64>, _>("token")?.map_or(AttemptRef::NO_TOKEN, i64::cast_unsigned))
}

/// Words as they are stored in one column: a JSON array.
pub(super) fn words_to_json(words: &[String]) -> String {
    serde_json::Value::from(words).to_string()
}

/// The words that [`words_to_json`] has stored.
pub(super) fn words_from_json(json: &str) -> Result<Vec<String>> {
    serde_json::from_str(json).map_err(|error| StoreError::Corrupt(format!("`{json}`: {error}")))
}
