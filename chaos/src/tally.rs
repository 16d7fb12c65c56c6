//! How many faults of each kind.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counts by kind. A worker's and a message's faults are counted when they happen, so what did not come to pass
/// is not in here.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    /// One more.
    pub fn count(&self, kind: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
    }

    /// All kinds.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
