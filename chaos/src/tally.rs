//! How many faults of each kind, and what else happened.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

type Counts = Mutex<BTreeMap<&'static str, u64>>;

/// Counts by kind. Faults are counted when they happen, so what did not come to pass is not in here.
#[derive(Debug, Default)]
pub struct Tally {
    faults: Counts,
    notes: Counts,
}

impl Tally {
    /// One more fault.
    pub fn count(&self, kind: &'static str) {
        add(&self.faults, kind);
    }

    /// Something that nobody did on purpose.
    pub fn note(&self, kind: &'static str) {
        add(&self.notes, kind);
    }

    /// All faults.
    #[must_use]
    pub fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What nobody did on purpose.
    #[must_use]
    pub fn notes(&self) -> BTreeMap<&'static str, u64> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn add(counts: &Counts, kind: &'static str) {
    *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
}
