//! A run's folder for tests.

use std::fs;
use std::path::Path;

use acai_proto::v1::{Assignment, Attempt};

use super::basis::Basis;
use super::checkpoint::Checkpoint;
use super::folder::RunFolder;
use super::record::Record;

/// What the checkpoints rest on where that does not matter.
pub(super) fn basis() -> Basis {
    Basis::new(Attempt { run: 7, number: 1, token: 5 }, 0)
}

/// The folder of attempt `number` at run 7, in the state folder `state`.
pub(super) fn open(state: &Path, number: u32) -> RunFolder {
    let assignment = Assignment { sweep: "../up".into(), number: 3, ..Assignment::default() };
    RunFolder::open(&state.join("runs"), &assignment, Attempt { run: 7, number, token: 0 }).unwrap()
}

/// A checkpoint as a trainer leaves it.
pub(super) fn written(folder: &RunFolder, step: u64) -> Checkpoint {
    let file = folder.attempt().join(format!("step-{step}.safetensors"));
    fs::write(&file, "weights").unwrap();
    Checkpoint { step, file }
}

/// The newest committed checkpoint.
pub(super) fn newest(folder: &RunFolder) -> Option<Checkpoint> {
    Record::read(&folder.root).unwrap().checkpoints.first().map(|newest| newest.checkpoint(&folder.root))
}
