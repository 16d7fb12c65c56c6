//! What the store and the machines' disks hold at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::journal::{AttemptId, Point, Restore};

/// The database, table by table.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// All runs.
    pub runs: Vec<RunRow>,
    /// All attempts.
    pub attempts: Vec<AttemptRow>,
    /// All points.
    pub points: Vec<PointRow>,
    /// All changes of runs' states.
    pub events: Vec<EventRow>,
    /// All checkpoints.
    pub checkpoints: Vec<CheckpointRow>,
}

/// A row of `runs`.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// The run.
    pub id: u64,
    /// Its sweep's name.
    pub sweep: String,
    /// Its place in the sweep's plan.
    pub index: u32,
    /// Where it is.
    pub state: String,
    /// Claims so far.
    pub attempt: u32,
    /// Its length.
    pub total_steps: u64,
}

/// A row of `attempts`.
#[derive(Debug, Clone)]
pub struct AttemptRow {
    /// Which.
    pub id: AttemptId,
    /// The claim that was granted it.
    pub claim: String,
    /// Points that are durable.
    pub acked_seq: u64,
    /// Points that differed from an earlier attempt's.
    pub replay_mismatches: u64,
    /// When it ended, in milliseconds from 1970 by the database's clock.
    pub ended_ms: Option<i64>,
    /// How it ended.
    pub outcome: Option<String>,
    /// Why it ended.
    pub message: Option<String>,
}

/// A row of `metrics`.
#[derive(Debug, Clone)]
pub struct PointRow {
    /// Whose.
    pub run: u64,
    /// The point.
    pub point: Point,
    /// Who wrote it last.
    pub attempt: u32,
}

/// A row of `events`.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Whose.
    pub run: u64,
    /// The state that it is in since.
    pub state: String,
}

/// A row of `checkpoints`.
#[derive(Debug, Clone)]
pub struct CheckpointRow {
    /// Whose.
    pub run: u64,
    /// Steps done.
    pub step: u64,
    /// Its digest.
    pub sha256: String,
    /// Nobody has found it damaged.
    pub is_committed: bool,
}

/// What a run must come to: what it came to undisturbed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceRun {
    /// Its place in the sweep's plan.
    pub index: u32,
    /// All its points.
    pub points: Vec<Point>,
    /// SHA-256 of its final weights.
    pub weights: String,
}

/// Final weights of a run, on a machine's disk or in the blob store.
#[derive(Debug, Clone)]
pub struct FinalWeights {
    /// Whose.
    pub run: u64,
    /// SHA-256 of the tensors.
    pub sha256: String,
    /// Where they are, for people.
    pub place: String,
}

/// Everything that the checker looks at.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// What clients were told.
    pub journal: Vec<crate::journal::Entry>,
    /// When the database was replaced by a backup of itself, in their order.
    pub restores: Vec<Restore>,
    /// From each time that a database server was away for longer than a lease to a term after its return, in milliseconds
    /// from 1970.
    pub outages: Vec<RangeInclusive<i64>>,
    /// What the store holds.
    pub snapshot: Snapshot,
    /// By sweep.
    pub references: BTreeMap<String, Vec<ReferenceRun>>,
    /// What the machines and the blob store hold.
    pub weights: Vec<FinalWeights>,
    /// Digests of the checkpoints that the blob store has, and whose bytes have that digest.
    pub whole_blobs: BTreeSet<String>,
}
