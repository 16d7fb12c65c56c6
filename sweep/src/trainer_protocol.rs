//! What a worker and a trainer process say to each other: one JSON object a line, [`Command`]s on
//! the trainer's standard input, [`Event`]s on its standard output. Any program that speaks this
//! can be a trainer.
//!
//! A conversation: the trainer says `ready`; the worker says `start`; the trainer reports until each
//! member of the group has ended with `finished`, `stopped` or `failed`, then exits 0, or waits for the next
//! `start` if this one asked it to stay. Meanwhile further runs of the shape may `join` the group.
//! End of input means that the worker is gone: the trainer exits without a checkpoint.

use std::collections::BTreeMap;
use std::ops::Not;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::scalar::Scalar;
use crate::training::TrainingConfig;

/// What a worker asks of its trainer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Train this group: runs of one shape.
    Start {
        /// The runs, at least one.
        group: Vec<Member>,
        /// Wait for another group when each run of this one has ended, instead of exiting. Said only to a trainer that
        /// can stay, so that others see what they always saw.
        #[serde(default, skip_serializing_if = "Not::not")]
        stay: bool,
    },
    /// Train these runs too, beside those that have not ended: runs of the group's shape. Said only to a trainer that can be
    /// joined, and that was asked to stay: the last run of its group may just have ended.
    Join {
        /// The runs, at least one.
        group: Vec<Member>,
    },
    /// Checkpoint this member and end it (`stopped`); the others go on.
    Stop {
        /// The member.
        run: u64,
    },
    /// Write a checkpoint of every member at the next step.
    Checkpoint,
    /// Checkpoint every member, end them (`stopped`), exit; also a trainer that stays.
    Shutdown,
}

/// One run of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The run's id; every event about it carries this number.
    pub run: u64,
    /// Key of all the run's random numbers.
    pub seed: u64,
    /// What to train.
    pub config: TrainingConfig,
    /// Parameters that the sweep file declares for a trainer of one's own. Left out where there are none, so that trainers
    /// that know of none see what they always saw.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own: BTreeMap<String, Scalar>,
    /// Existing folder where the run's checkpoints go.
    pub folder: PathBuf,
    /// Checkpoint to continue from.
    pub resume: Option<PathBuf>,
    /// Training between two checkpoints, in units of 1024 images.
    pub checkpoint_kimg: f64,
    /// Report the weights of the trained model as an artifact. Left out where that is not wanted, as above.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub weights: bool,
}

/// What a trainer reports.
///
/// `step` counts optimizer steps done. Values are finite: what is undefined is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First line: the trainer can be given a group.
    Ready {
        /// Its version.
        version: String,
        /// `cpu` or `cuda:N`.
        device: String,
        /// Threads a CPU operation uses.
        threads: u32,
        /// Version of libtorch.
        libtorch: String,
        /// Whether it can stay for another group when one has ended.
        #[serde(default, skip_serializing_if = "Not::not")]
        can_stay: bool,
        /// Whether further runs can join a group that it trains, once it was asked to stay.
        #[serde(default, skip_serializing_if = "Not::not")]
        can_join: bool,
    },
    /// Training losses at a step (each `train/…`); the same steps whenever the run is repeated.
    Metric {
        /// The member.
        run: u64,
        /// Steps done.
        step: u64,
        /// Name to value.
        values: BTreeMap<String, f64>,
    },
    /// Scores of an evaluation (each `eval/…`).
    Evaluated {
        /// The member.
        run: u64,
        /// Steps done.
        step: u64,
        /// Name to value.
        values: BTreeMap<String, f64>,
    },
    /// Still going, about once a second. Depends on the clock, so it is no metric.
    Progress {
        /// The member.
        run: u64,
        /// Steps done.
        step: u64,
        /// Memory lacks for all members at once: they are trained in turns.
        #[serde(default, skip_serializing_if = "Not::not")]
        in_turns: bool,
    },
    /// Got further with something that takes longer than a step: an evaluation, clustering. About once a second.
    Working {
        /// The member.
        run: u64,
        /// Steps done.
        step: u64,
    },
    /// A checkpoint is on disk, whole. Its name holds the step; older ones are the worker's to delete.
    Checkpoint {
        /// The member.
        run: u64,
        /// Steps done.
        step: u64,
        /// The file.
        path: PathBuf,
    },
    /// A file for people is on disk, whole: a picture of what the run does at this step.
    Artifact {
        /// The member.
        run: u64,
        /// Steps done.
        step: u64,
        /// The file.
        path: PathBuf,
    },
    /// The run has all its steps and its last evaluation.
    Finished {
        /// The member.
        run: u64,
        /// Steps done.
        step: u64,
    },
    /// Ended on request, after the `checkpoint` event for `step`.
    Stopped {
        /// The member.
        run: u64,
        /// Steps done.
        step: u64,
    },
    /// Ended by an error.
    Failed {
        /// The member.
        run: u64,
        /// Steps done.
        step: u64,
        /// Whose fault.
        kind: FailureKind,
        /// One paragraph for people.
        message: String,
    },
}

/// Why a run failed in its trainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// A loss became NaN or infinite. Training is deterministic: repeating it would diverge again.
    Diverged,
    /// The checkpoint to continue from is damaged, or of something else: nobody should continue from it.
    Checkpoint,
    /// The machine's: a full disk, a dataset that is missing or cannot be read, no memory left, CUDA lost. The run may do
    /// well on another machine, or on this one later.
    Machine,
    /// The run's own, whatever machine it is on: a configuration that makes no sense, for instance.
    Error,
}
