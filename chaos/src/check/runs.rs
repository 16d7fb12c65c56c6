//! What is stored of each run breaks no promise.

use std::collections::BTreeSet;

use acai_promises::{Attempt, Broken, Checkpoint, Promise, Stored};

use super::snapshot::{Evidence, RunRow};
use super::verdict::{Verdict, ViolationKind};
use crate::journal::Point;

pub(super) fn check(evidence: &Evidence, verdict: &mut Verdict) {
    for run in &evidence.snapshot.runs {
        for Broken { promise, what } in broken(evidence, run) {
            verdict.add(kind(promise), format!("run {} {what}", run.id));
        }
    }
    let snapshot = &evidence.snapshot;
    let runs: BTreeSet<u64> = snapshot.runs.iter().map(|run| run.id).collect();
    let named = snapshot.points.iter().map(|row| row.run);
    let named = named.chain(snapshot.attempts.iter().map(|row| row.id.run));
    let named: BTreeSet<u64> = named.chain(snapshot.checkpoints.iter().map(|row| row.run)).collect();
    for run in named.difference(&runs) {
        verdict
            .add(ViolationKind::Extra, format!("run {run} is not in the database, and something of it is"));
    }
}

/// What is broken of the run, which is held against the undisturbed one.
pub(super) fn broken(evidence: &Evidence, run: &RunRow) -> Vec<Broken> {
    let references = evidence.references.get(&run.sweep);
    let reference = references.and_then(|runs| runs.iter().find(|of| of.index == run.index));
    let reference = reference.map(|reference| reference.points.iter().map(point).collect::<Vec<_>>());
    acai_promises::broken(&stored(evidence, run), reference.as_deref())
}

fn stored<'e>(evidence: &'e Evidence, run: &RunRow) -> Stored<'e> {
    let snapshot = &evidence.snapshot;
    let mut attempts: Vec<Attempt> = snapshot
        .attempts
        .iter()
        .filter(|row| row.id.run == run.id)
        .map(|row| Attempt {
            number: row.id.number,
            is_completed: row.outcome.as_deref() == Some("completed"),
            replay_mismatches: row.replay_mismatches,
        })
        .collect();
    attempts.sort_by_key(|attempt| attempt.number);
    let checkpoints = snapshot.checkpoints.iter().filter(|row| row.run == run.id && row.is_committed);
    Stored {
        claims: run.attempt,
        is_completed: run.state == "completed",
        attempts,
        points: snapshot.points.iter().filter(|row| row.run == run.id).map(|row| point(&row.point)).collect(),
        checkpoints: checkpoints
            .map(|row| Checkpoint {
                step: row.step,
                sha256: &row.sha256,
                is_whole: evidence.whole_blobs.contains(&row.sha256),
            })
            .collect(),
    }
}

fn point(point: &Point) -> acai_promises::Point<'_> {
    acai_promises::Point { metric: &point.name, step: point.step, bits: point.bits }
}

fn kind(promise: Promise) -> ViolationKind {
    match promise {
        Promise::Doubled => ViolationKind::Doubled,
        Promise::Replay => ViolationKind::Replay,
        Promise::Attempts => ViolationKind::Attempts,
        Promise::Ends => ViolationKind::Ends,
        Promise::Missing => ViolationKind::Missing,
        Promise::Extra => ViolationKind::Extra,
        Promise::Differs => ViolationKind::Differs,
        Promise::CheckpointGone => ViolationKind::CheckpointGone,
    }
}
