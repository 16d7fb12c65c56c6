//! What runs would resume from is there, whole, and no older than what was acknowledged.

use std::collections::BTreeMap;

use super::snapshot::Evidence;
use super::verdict::{Verdict, ViolationKind};
use crate::journal::What;

pub(super) fn check(evidence: &Evidence, verdict: &mut Verdict) {
    let rows = &evidence.snapshot.checkpoints;
    for row in rows.iter().filter(|row| row.is_committed && !evidence.whole_blobs.contains(&row.sha256)) {
        let what = format!(
            "run {} would resume at step {} from {}, which is not there whole",
            row.run, row.step, row.sha256
        );
        verdict.add(ViolationKind::CheckpointGone, what);
    }
    let mut acknowledged: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in &evidence.journal {
        if let What::Committed { attempt, step, .. } = &entry.what {
            let newest = acknowledged.entry(attempt.run).or_default();
            *newest = (*newest).max(*step);
        }
    }
    for (run, step) in acknowledged {
        // One that a trainer refused is taken out of use, and then an older one counts.
        let stands = rows.iter().any(|row| row.run == run && (row.step >= step || !row.is_committed));
        if !stands {
            let what = format!(
                "run {run}: its checkpoint of step {step} was acknowledged, and it has only older ones"
            );
            verdict.add(ViolationKind::Forgotten, what);
        }
    }
}
