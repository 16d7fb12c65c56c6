//! What was found.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Which promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// An acknowledged point is not stored.
    Lost,
    /// A point is stored more than once.
    Doubled,
    /// An acknowledged point is stored with other bits.
    Altered,
    /// A completed run lacks a point of the undisturbed one.
    Missing,
    /// A completed run has a point that the undisturbed one has not.
    Extra,
    /// A point of a completed run has other bits than the undisturbed one's.
    Differs,
    /// A completed run's final weights have other bits than the undisturbed one's.
    WeightsDiffer,
    /// A completed run's final weights are nowhere.
    WeightsGone,
    /// A write by an attempt that was dead took effect.
    ZombieAccepted,
    /// Attempts of a run do not count its claims, from 1, each once and in order.
    Attempts,
    /// An acknowledgement was taken back.
    Forgotten,
    /// A checkpoint that runs would resume from is not there, or its bytes are others; or it was taken out of use for
    /// nothing; or a completed run has none of its last step.
    CheckpointGone,
    /// A run ended more than once, or an end that was acknowledged did not stand.
    Ends,
    /// Training again gave other points, which on one machine it must not.
    Replay,
    /// A run was not completed after the faults had stopped.
    Unfinished,
    /// A run was held without a live lease.
    StaleLease,
    /// An attempt was lost because the database was away.
    LostInOutage,
    /// A worker began on a copied state folder.
    CopyUsed,
    /// A run was blamed for what happened to machines and processes.
    Charged,
}

impl fmt::Display for ViolationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Altered => "altered",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Differs => "differs from the undisturbed run",
            Self::WeightsDiffer => "final weights differ",
            Self::WeightsGone => "final weights are gone",
            Self::ZombieAccepted => "zombie accepted",
            Self::Attempts => "attempts miscounted",
            Self::Forgotten => "acknowledgement forgotten",
            Self::CheckpointGone => "checkpoint is gone",
            Self::Ends => "ended twice, or not at all",
            Self::Replay => "replayed differently",
            Self::Unfinished => "unfinished",
            Self::StaleLease => "held without a lease",
            Self::LostInOutage => "lost while the database was away",
            Self::CopyUsed => "copied state folder used",
            Self::Charged => "charged to the run",
        })
    }
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which promise.
    pub kind: ViolationKind,
    /// Where, in words.
    pub what: String,
}

/// The outcome of a check.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verdict {
    /// Different points that were acknowledged.
    pub points_acknowledged: u64,
    /// Writes of dead attempts that were refused.
    pub zombies_refused: u64,
    /// Runs that completed.
    pub completed: u64,
    /// Runs whose points and weights are those of the undisturbed run.
    pub bit_equal: u64,
    /// Everything wrong.
    pub violations: Vec<Violation>,
}

impl Verdict {
    /// Adds a violation.
    pub fn add(&mut self, kind: ViolationKind, what: String) {
        self.violations.push(Violation { kind, what });
    }

    /// Violations of one kind.
    #[must_use]
    pub fn count(&self, kind: ViolationKind) -> u64 {
        self.violations.iter().filter(|violation| violation.kind == kind).count() as u64
    }

    /// Violations by kind.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<ViolationKind, u64> {
        self.violations.iter().map(|violation| (violation.kind, self.count(violation.kind))).collect()
    }
}
