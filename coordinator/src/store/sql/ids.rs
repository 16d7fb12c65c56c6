//! The ids that one statement is about, bound as one value.

/// Ids as a JSON array, which the macros `among!` and `items!` of the dialects take.
#[derive(Debug, Clone)]
pub(super) struct Ids(String);

impl Ids {
    pub(super) fn new(ids: impl IntoIterator<Item: Into<i64>>) -> Ids {
        Ids(serde_json::Value::from_iter(ids.into_iter().map(Into::<i64>::into)).to_string())
    }

    /// The value to bind.
    pub(super) fn as_json(&self) -> &str {
        &self.0
    }
}
