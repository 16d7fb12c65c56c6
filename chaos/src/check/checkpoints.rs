//! What runs would resume from is in use, and no older than what was acknowledged.

use std::collections::BTreeMap;

use super::eras::remembered;
use super::snapshot::Evidence;
use super::verdict::{Verdict, ViolationKind};
use crate::journal::{AttemptId, Ending, Entry, What};

pub(super) fn check(evidence: &Evidence, verdict: &mut Verdict) {
    let rows = &evidence.snapshot.checkpoints;
    // Nothing here damages a checkpoint, so none deserves it; but the bytes of one that a backup has may have been deleted
    // since, as those of an old one.
    let may_be_gone = |digest: &str, sent: u64| {
        let committed =
            |entry: &Entry| matches!(&entry.what, What::Committed { sha256, .. } if sha256 == digest);
        evidence.restores.iter().any(|restore| {
            restore.restored < sent
                && evidence.journal.iter().any(|entry| entry.sent < restore.restored && committed(entry))
        })
    };
    for entry in &evidence.journal {
        if let What::Rejected { attempt, sha256 } = &entry.what
            && !may_be_gone(sha256, entry.sent)
        {
            let what = format!("run {}: a checkpoint was taken out of use", attempt.run);
            verdict.add(ViolationKind::CheckpointGone, what);
        }
    }
    for run in
        evidence.snapshot.runs.iter().filter(|run| run.state == "completed" && !may_stay(evidence, run.id))
    {
        if !rows.iter().any(|row| row.run == run.id && row.step == run.total_steps && row.is_committed) {
            let what = format!("run {} is completed, and its last checkpoint is not committed", run.id);
            verdict.add(ViolationKind::CheckpointGone, what);
        }
    }
    let mut acknowledged: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in remembered(evidence) {
        if let What::Committed { attempt, step, .. } = &entry.what {
            let newest = acknowledged.entry(attempt.run).or_default();
            *newest = (*newest).max(*step);
        }
    }
    for (run, step) in acknowledged {
        if !rows.iter().any(|row| row.run == run && row.step >= step) {
            let what = format!(
                "run {run}: its checkpoint of step {step} was acknowledged, and it has only older ones"
            );
            verdict.add(ViolationKind::Forgotten, what);
        }
    }
}

/// Whether a checkpoint of the run may stay on its machine: nobody waits for long for a full disk, nor for one with I/O
/// errors.
fn may_stay(evidence: &Evidence, run: u64) -> bool {
    let journal = &evidence.journal;
    let of_run = |attempt: &AttemptId| attempt.run == run;
    let refused =
        journal.iter().any(|entry| matches!(&entry.what, What::NoRoom { attempt } if of_run(attempt)));
    // Nobody was told of which run it was, but of whose worker: one that had an attempt at this run then.
    let had = |entry: &Entry, worker: usize| {
        let grants = matches!(&entry.what, What::Granted { attempts, .. } if attempts.iter().any(of_run));
        grants && entry.worker == worker
    };
    refused
        || journal.iter().filter(|entry| entry.what == What::NoBlobs).any(|failed| {
            journal.iter().any(|entry| had(entry, failed.worker) && entry.sent < failed.sent)
                && journal.iter().any(|entry| {
                    let ends = matches!(
                        &entry.what,
                        What::Ended { attempt, ending: Ending::Completed } if of_run(attempt)
                    );
                    ends && entry.worker == failed.worker && failed.sent < entry.answered
                })
        })
}
