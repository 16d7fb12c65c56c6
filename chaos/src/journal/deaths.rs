//! From when on an attempt is known to hold its run no more.

use std::collections::BTreeMap;

use super::entry::{AttemptId, Entry, What};

/// Built from journal entries in any order, of one history of the database.
#[derive(Debug, Default)]
pub struct Deaths {
    /// For each run, from when on each attempt was known to be granted.
    granted: BTreeMap<u64, BTreeMap<AttemptId, u64>>,
    ended: BTreeMap<AttemptId, u64>,
}

impl Deaths {
    /// Takes in what an entry says of attempts.
    pub fn note(&mut self, entry: &Entry) {
        let earliest = |place: &mut u64| *place = (*place).min(entry.answered);
        match &entry.what {
            What::Granted { attempts, .. } => {
                for attempt in attempts {
                    let grants = self.granted.entry(attempt.run).or_default();
                    earliest(grants.entry(*attempt).or_insert(entry.answered));
                }
            }
            What::Ended { attempt, .. } => earliest(self.ended.entry(*attempt).or_insert(entry.answered)),
            _ => {}
        }
    }

    /// Since when an attempt is dead: its end was acknowledged, or a later one was granted, or another one of its number,
    /// which only a database does that has never heard of it.
    #[must_use]
    pub fn of(&self, attempt: AttemptId) -> Option<u64> {
        let grants = self.granted.get(&attempt.run).into_iter().flatten();
        let in_its_stead = |other: &AttemptId| *other != attempt && other.number >= attempt.number;
        let granted = grants.filter(|(other, _)| in_its_stead(other));
        granted.map(|(_, place)| *place).chain(self.ended.get(&attempt).copied()).min()
    }

    /// Whether a request of an attempt, sent at this place, was a zombie's.
    #[must_use]
    pub fn was_dead(&self, attempt: AttemptId, sent: u64) -> bool {
        self.of(attempt).is_some_and(|died| died < sent)
    }
}
