//! Sweeps, read.

use acai_sweep::report::Report;
use acai_sweep::run::RunState;

/// A sweep's progress.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Its id for people.
    pub name: String,
    /// For people.
    pub description: String,
    /// For people.
    pub tags: Vec<String>,
    /// Larger first.
    pub priority: i64,
    /// Runs at a time.
    pub max_concurrent: Option<u32>,
    /// First submission.
    pub submitted_ms: i64,
    /// Who submitted it last; nobody in particular where no token was needed.
    pub submitter: Option<Bearer>,
    /// Why it starts no runs.
    pub paused: Option<String>,
    /// Number of its last event.
    pub last_event: u64,
    /// Points that a later attempt reported with another value.
    pub replay_mismatches: u64,
    /// Runs of the plan by state; absent when none.
    pub counts: Vec<(RunState, u32)>,
    /// Runs that left the plan while they were trained, and have not been given back yet.
    pub leaving: u32,
    /// Images that the runs of the plan have been trained on.
    pub images_done: u64,
    /// Images that the runs of the plan will have been trained on in the end.
    pub images_total: u64,
    /// Datasets of its queued runs.
    pub queued_datasets: Vec<String>,
}

/// Whose token a sweep was submitted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The token's id.
    pub token: String,
    /// For whom it was made; empty where the database has no such token.
    pub name: String,
}

/// A sweep with its file.
#[derive(Debug, Clone)]
pub struct SweepRecord {
    /// Its progress.
    pub overview: Overview,
    /// Its file.
    pub file: StoredFile,
}

/// What a sweep has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// In its plan and set aside.
    pub runs: u32,
    /// Of these, held by workers.
    pub running: u32,
    /// Of all metrics.
    pub points: u64,
    /// Of its runs.
    pub checkpoints: u64,
    /// Of its runs.
    pub artifacts: u64,
    /// Of checkpoints and artifacts.
    pub bytes: u64,
}

/// A sweep's file.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// The YAML text.
    pub source: String,
    /// What the file says of tables; `None` where an earlier version stored it, or a later one in its own way.
    pub report: Option<Report>,
}
