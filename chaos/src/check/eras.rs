//! What counts when a database was replaced by a backup of itself: each database answers for what was acknowledged
//! before it was backed up, and since it serves.

use super::snapshot::Evidence;
use crate::journal::Entry;

/// From one restoration of the database to the next.
pub(super) struct Era<'e> {
    /// What its database answers for.
    pub(super) history: Vec<&'e Entry>,
    /// Place of its beginning.
    start: u64,
}

impl<'e> Era<'e> {
    /// Entries of the era itself.
    pub(super) fn entries(&self) -> impl Iterator<Item = &'e Entry> {
        self.history.iter().copied().filter(|entry| entry.answered >= self.start)
    }
}

/// All eras, in their order; the last one's history is what the database must hold at the end.
pub(super) fn eras(evidence: &Evidence) -> Vec<Era<'_>> {
    let starts = [0].into_iter().chain(evidence.restores.iter().map(|restore| restore.restored));
    let ends = evidence.restores.iter().map(|restore| restore.restored).chain([u64::MAX]);
    let era = |(start, end): (u64, u64)| {
        let restores = evidence.restores.iter().filter(|restore| restore.restored <= start);
        let is_remembered = |entry: &&Entry| {
            entry.answered < end && !restores.clone().any(|restore| restore.forgets(entry.answered))
        };
        Era { history: evidence.journal.iter().filter(is_remembered).collect(), start }
    };
    starts.zip(ends).map(era).collect()
}

/// What the database must hold at the end.
pub(super) fn remembered(evidence: &Evidence) -> Vec<&Entry> {
    eras(evidence).pop().map(|era| era.history).unwrap_or_default()
}
