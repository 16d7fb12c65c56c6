//! Executions of runs, and how workers get them.

use acai_sweep::configuration::Configuration;
use acai_sweep::schedule::Offer;

use super::files::Checkpoint;
use super::ids::RunId;

/// One execution of a run, as the worker that was granted it names it in each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptRef {
    /// The run.
    pub run: RunId,
    /// Counts claims of the run, from 1.
    pub number: u32,
    /// Random: tells the attempt from one of the same number in another database, or in an older state of this one.
    /// [`NO_TOKEN`](Self::NO_TOKEN) matches every token.
    pub token: u64,
}

impl AttemptRef {
    /// What workers of version 0.1.0 send, which know no tokens.
    pub const NO_TOKEN: u64 = 0;
}

/// An earlier attempt of a run that is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierAttempt {
    /// Counts claims of the run, from 1.
    pub number: u32,
    /// As in [`AttemptRef`].
    pub token: u64,
    /// Its points 1 to this number are durable.
    pub acked_seq: u64,
}

/// What went wrong without being the run's fault, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    /// The worker's machine cannot train the run.
    MachineFault(String),
    /// The trainer of several runs broke down, and nobody can tell by which of them.
    GroupFault(String),
}

/// A worker's wish for work.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who.
    pub worker: String,
    /// Chosen by the worker; the same when repeated.
    pub id: String,
    /// Counts the worker's claims from 1; 0 for a worker of the release before, which does not count them.
    pub number: u64,
    /// How much.
    pub offer: Offer,
    /// A group that trains already and that the runs are to join: then the offer is of one group, as large as the places that
    /// there are.
    pub joins: Option<Joins>,
}

/// A group of a worker that trains already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joins {
    /// Of its runs.
    pub shape_key: String,
    /// Its name, `CLAIM/GROUP`.
    pub group: String,
}

/// A run granted to a worker.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The execution it may now do.
    pub attempt: AttemptRef,
    /// Which group of the claim it belongs to.
    pub group: u32,
    /// The shape of runs that may join the group; none if the run is to be trained alone.
    pub shape_key: Option<String>,
    /// Its sweep.
    pub sweep: String,
    /// The run's number in its sweep.
    pub number: u32,
    /// Key of its random numbers.
    pub seed: u64,
    /// What to train.
    pub configuration: Configuration,
    /// Training between two checkpoints, ×1024 images; `None`: as between evaluations.
    pub checkpoint_kimg: Option<f64>,
    /// Whether the trained model's weights are wanted as an artifact.
    pub keeps_weights: bool,
    /// What training may go on from, newest first.
    pub checkpoints: Vec<Checkpoint>,
    /// The number of the last attempt whose checkpoints on a worker's machine must not be used, nor those of attempts
    /// before it.
    pub void_attempts: u32,
    /// The run's latest earlier attempts, newest first.
    pub earlier_attempts: Vec<EarlierAttempt>,
    /// How long the run had been queued, in milliseconds; none where a version before noted no time.
    pub waited_ms: Option<i64>,
}

/// An execution of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Counts claims of the run, from 1.
    pub number: u32,
    /// Name of its worker.
    pub worker: String,
    /// Of the worker's program.
    pub version: String,
    /// The worker's machine, as JSON.
    pub hardware: String,
    /// When the run was granted.
    pub started_ms: i64,
    /// When the attempt ended.
    pub ended_ms: Option<i64>,
    /// How it ended.
    pub outcome: Option<String>,
    /// Why it ended, for people.
    pub message: Option<String>,
    /// Points that differed from those of an earlier attempt.
    pub replay_mismatches: u64,
    /// The last step that it has points of.
    pub step: Option<u64>,
}

/// The answer to a renewal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renewal {
    /// Attempts that hold no lease.
    pub fenced: Vec<AttemptRef>,
    /// Attempts that should checkpoint and be released.
    pub yielding: Vec<AttemptRef>,
}
