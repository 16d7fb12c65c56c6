//! Workers, and whether they take runs.

use crate::store::rules::is_heard_of;

/// What a worker says of itself.
#[derive(Debug, Clone)]
pub struct Registration {
    /// A UUID.
    pub id: String,
    /// For people.
    pub name: String,
    /// Of its program.
    pub version: String,
    /// JSON.
    pub hardware: String,
    /// Groups it trains at a time.
    pub slots: u32,
    /// What it can train on.
    pub datasets: Vec<String>,
}

/// Slots of a worker that take no runs for a while, because its machine could not train what they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// How many.
    pub slots: u32,
    /// Why the last of them rests; for people.
    pub reason: String,
}

/// A worker.
#[derive(Debug, Clone)]
pub struct WorkerRecord {
    /// What it said of itself.
    pub registration: Registration,
    /// Its last call.
    pub last_seen_ms: i64,
    /// Runs it holds.
    pub running: u32,
    /// Whether it takes runs.
    pub duty: Duty,
    /// Its slots that take none for a while.
    pub rest: Option<Rest>,
    /// Whether it has said that it ends.
    pub ended: bool,
}

impl WorkerRecord {
    /// Whether it has not ended, and was heard of within `silent_ms`.
    pub(crate) fn is_alive(&self, now_ms: i64, silent_ms: i64) -> bool {
        !self.ended && is_heard_of(self.last_seen_ms, now_ms, silent_ms)
    }
}

/// Whether a machine takes runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// It takes runs.
    Open,
    /// It takes no more runs.
    Cordoned,
    /// It takes no more runs, and is asked to give back those that it has.
    Drained,
}
