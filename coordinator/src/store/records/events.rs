//! What happened to runs.

use acai_sweep::run::RunState;

use super::ids::RunId;

/// A place in a sweep's list of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Number of the event; 0: before the first one.
    pub number: u64,
    /// When that event happened, if the caller has seen it: a restored database has another one of this number.
    pub at_ms: Option<i64>,
}

impl From<u64> for Place {
    fn from(number: u64) -> Place {
        Place { number, at_ms: None }
    }
}

/// Something that happened to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Counts the events of a sweep from 1, without gaps.
    pub number: u64,
    /// When.
    pub at_ms: i64,
    /// The run's number in this database.
    pub run: RunId,
    /// The run's number in its sweep.
    pub run_number: u32,
    /// The state that it entered.
    pub state: RunState,
    /// Claims of the run so far.
    pub attempt: u32,
    /// Name of the worker that is involved.
    pub worker: Option<String>,
    /// For people.
    pub message: Option<String>,
}

impl From<&EventRecord> for Place {
    fn from(event: &EventRecord) -> Place {
        Place { number: event.number, at_ms: Some(event.at_ms) }
    }
}
