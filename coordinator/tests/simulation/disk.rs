//! What a worker's machine keeps of its runs, across restarts of the worker: checkpoints, each with what it rests on.

use std::collections::BTreeMap;

use acai_coordinator::store::{AttemptRef, EarlierAttempt, Grant, RunId};

/// Checkpoints of a run that are kept.
const KEEP: usize = 2;

/// A checkpoint on the machine.
#[derive(Debug, Clone, Copy)]
struct Kept {
    step: u64,
    /// The attempt that kept it, and how many of its points come before the checkpoint: training may go on from here only
    /// where the database still has both.
    basis: (AttemptRef, u64),
}

impl Kept {
    fn is_held(&self, attempts: &[EarlierAttempt]) -> bool {
        let (attempt, last_seq) = self.basis;
        attempts.iter().any(|held| {
            (held.number, held.token) == (attempt.number, attempt.token) && held.acked_seq >= last_seq
        })
    }
}

/// The checkpoints of a machine, newest first, by the database that its worker registered with, and run: another database
/// has other runs of the same numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(BTreeMap<(String, RunId), Vec<Kept>>);

impl Disk {
    pub(crate) fn keep(&mut self, database: &str, step: u64, basis: (AttemptRef, u64)) {
        let kept = self.0.entry((database.to_owned(), basis.0.run)).or_default();
        kept.insert(0, Kept { step, basis });
        kept.truncate(KEEP);
    }

    /// The step of the newest checkpoint that the run may go on from; what a person wanted to start over from is gone.
    pub(crate) fn resumable(&mut self, database: &str, grant: &Grant) -> Option<u64> {
        let kept = self.0.get_mut(&(database.to_owned(), grant.attempt.run))?;
        kept.retain(|kept| kept.basis.0.number > grant.void_attempts);
        kept.iter().find(|kept| kept.is_held(&grant.earlier_attempts)).map(|kept| kept.step)
    }
}
