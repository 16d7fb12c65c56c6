//! What a journal holds.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// One execution of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptId {
    /// The run.
    pub run: u64,
    /// From 1.
    pub number: u32,
    /// Random: tells it from one of the same number in another state of the database.
    pub token: u64,
}

impl AttemptId {
    /// Those that a run can have, in the order of their numbers.
    #[must_use]
    pub fn all_of(run: u64) -> RangeInclusive<AttemptId> {
        AttemptId { run, number: 0, token: 0 }..=AttemptId { run, number: u32::MAX, token: u64::MAX }
    }
}

/// The database was replaced by a backup of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Place of the backup's beginning in the order of all sendings and answers: what was answered before is in it.
    pub backup: u64,
    /// Place of the restoration: no request was under way, and no coordinator ran.
    pub restored: u64,
}

impl Restore {
    /// Whether what was answered at this place may be forgotten since.
    #[must_use]
    pub fn forgets(&self, answered: u64) -> bool {
        self.backup < answered && answered < self.restored
    }
}

/// A point of a metric, to the last bit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Point {
    /// The metric.
    pub name: String,
    /// Training steps done.
    pub step: u64,
    /// The value's 64 bits.
    pub bits: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All steps trained.
    Completed,
    /// By the run's fault, to be repeated.
    Failed,
    /// A loss became NaN or infinite.
    Diverged,
    /// Handed back.
    Released,
}

impl Ending {
    /// As `attempts.outcome` has it.
    #[must_use]
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Diverged => "diverged",
            Self::Released => "released",
        }
    }
}

/// Why a request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A worker sent it.
    Worker,
    /// A copy of one that a worker sent.
    Duplicate,
    /// An old request of an attempt that is dead, sent on purpose.
    Zombie,
}

/// An answer of a coordinator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A claim was granted these attempts.
    Granted {
        /// Chosen by the worker.
        claim: String,
        /// What it got.
        attempts: Vec<AttemptId>,
    },
    /// Leases were extended, save those that are not held any more.
    Renewed {
        /// Those asked for.
        attempts: Vec<AttemptId>,
        /// Those not held.
        fenced: Vec<AttemptId>,
    },
    /// Points were acknowledged.
    Reported {
        /// Whose.
        attempt: AttemptId,
        /// Number of the first point.
        first_seq: u64,
        /// All points to this number are durable.
        acked_seq: u64,
        /// What was sent.
        points: Vec<Point>,
    },
    /// A checkpoint became what the run resumes from.
    Committed {
        /// Whose.
        attempt: AttemptId,
        /// Steps done.
        step: u64,
        /// Its digest.
        sha256: String,
    },
    /// There was no room for a checkpoint on the coordinators' disk, or that would not keep it.
    NoRoom {
        /// Whose.
        attempt: AttemptId,
    },
    /// The coordinators' disk could not tell whether it has a checkpoint of this worker.
    NoBlobs,
    /// A checkpoint was taken out of use.
    Rejected {
        /// By whom.
        attempt: AttemptId,
        /// Its digest.
        sha256: String,
    },
    /// Another write was accepted.
    Accepted {
        /// Whose.
        attempt: AttemptId,
        /// Which call.
        call: String,
    },
    /// An attempt's end was acknowledged.
    Ended {
        /// Which attempt.
        attempt: AttemptId,
        /// How.
        ending: Ending,
    },
    /// A write was refused for good.
    Refused {
        /// Whose.
        attempt: AttemptId,
        /// Which call.
        call: String,
        /// Because the attempt does not hold its run (`FAILED_PRECONDITION`).
        fenced: bool,
        /// The coordinator's words.
        message: String,
    },
}

/// One answer, with its place among all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Since the session's start.
    pub at_ms: u64,
    /// Place of the request's sending in the order of all sendings and answers.
    pub sent: u64,
    /// Place of the answer in it.
    pub answered: u64,
    /// Whose proxy it went through.
    pub worker: usize,
    /// Why it was sent.
    pub origin: Origin,
    /// Whether the answer was passed on.
    pub told: bool,
    /// The answer.
    #[serde(flatten)]
    pub what: What,
}
