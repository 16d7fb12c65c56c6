//! What workers were told, and what must therefore be true.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use acai_coordinator::store::{AttemptRef, Claim, RunId};
use acai_sweep::run::RunState;

use crate::network::Ending;
use crate::observer::{StoredAttempt, StoredEvent, StoredPoint, StoredRun};
use crate::training::{STEPS, value};

/// Everything that is there when all has come to rest.
pub(crate) struct Rest {
    pub(crate) runs: Vec<StoredRun>,
    pub(crate) attempts: Vec<StoredAttempt>,
    pub(crate) points: Vec<StoredPoint>,
    pub(crate) events: Vec<StoredEvent>,
}

/// Noted outside of the store, when an answer arrives. Each database has one: of what is in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal {
    /// Steps whose points were acknowledged, by run.
    acknowledged: BTreeMap<RunId, BTreeSet<u64>>,
    /// Runs that somebody was told are completed.
    completed: BTreeSet<RunId>,
    /// Attempts that were told that they have ended, and how.
    ended: BTreeSet<(RunId, u32, Ending)>,
    /// Claims that were answered, by worker and number.
    claims: BTreeSet<(String, u64)>,
    /// The highest attempt that was granted.
    granted: BTreeMap<RunId, AttemptRef>,
    /// Attempts that were told that they are fenced.
    fenced: HashSet<AttemptRef>,
    /// When somebody was last told that a blob is there.
    uploaded: HashMap<String, i64>,
    /// Tags of the files that were begun.
    begun: HashSet<String>,
}

impl Journal {
    pub(crate) fn answered(&mut self, claim: &Claim) {
        self.claims.insert((claim.worker.clone(), claim.number));
    }

    /// Whether a copy of this claim was answered before.
    pub(crate) fn has_answered(&self, claim: &Claim) -> bool {
        self.claims.contains(&(claim.worker.clone(), claim.number))
    }

    pub(crate) fn granted(&mut self, attempt: AttemptRef) {
        let highest = self.granted.entry(attempt.run).or_insert(attempt);
        if attempt.number > highest.number {
            *highest = attempt;
        }
    }

    /// Whether it was granted, and none of the run after it.
    pub(crate) fn knows(&self, attempt: AttemptRef) -> bool {
        self.granted.get(&attempt.run) == Some(&attempt)
    }

    /// Whether it may not be granted any more: it was told that it is fenced, or another one has its number, or a later
    /// one.
    pub(crate) fn is_over(&self, attempt: AttemptRef) -> bool {
        let highest = self.granted.get(&attempt.run);
        self.fenced.contains(&attempt)
            || highest.is_some_and(|&highest| highest != attempt && highest.number >= attempt.number)
    }

    /// Whether nothing may be taken from it: it is over, or was never granted.
    pub(crate) fn is_dead(&self, attempt: AttemptRef) -> bool {
        !self.knows(attempt) || self.fenced.contains(&attempt)
    }

    pub(crate) fn fenced(&mut self, attempt: AttemptRef) {
        self.fenced.insert(attempt);
    }

    /// Somebody is told that the blob is there.
    pub(crate) fn uploaded(&mut self, sha256: &str, now_ms: i64) {
        self.uploaded.insert(sha256.to_owned(), now_ms);
    }

    /// The blob's bytes were found to be damaged.
    pub(crate) fn condemned(&mut self, sha256: &str) {
        self.uploaded.remove(sha256);
    }

    /// When somebody was last told that the blob is there, unless it was found to be damaged since.
    pub(crate) fn told(&self, sha256: &str) -> Option<i64> {
        self.uploaded.get(sha256).copied()
    }

    /// A file of this tag is about to be made.
    pub(crate) fn begun(&mut self, tag: &str) {
        self.begun.insert(tag.to_owned());
    }

    /// Whether the database, or the one that it is a backup of, has ever known a file of this tag.
    pub(crate) fn has_begun(&self, tag: &str) -> bool {
        self.begun.contains(tag)
    }

    pub(crate) fn acknowledged(&mut self, attempt: AttemptRef, steps: impl Iterator<Item = u64>) {
        self.acknowledged.entry(attempt.run).or_default().extend(steps);
    }

    pub(crate) fn ended(&mut self, attempt: AttemptRef, ending: Ending) {
        self.ended.insert((attempt.run, attempt.number, ending));
        if ending == "completed" {
            self.completed.insert(attempt.run);
        }
    }

    /// A run is resumed at `step`: nobody will report what comes before it again, so all of it must be there.
    pub(crate) fn resumed(&self, run: RunId, step: u64, stored: &[StoredPoint]) {
        let there: BTreeSet<u64> =
            stored.iter().filter(|point| point.run == run).map(|point| point.step).collect();
        for before in 1..=step {
            assert!(
                there.contains(&before),
                "run {run} resumes at {step}, but the point of step {before} is nowhere"
            );
        }
    }

    /// Holds everything that was told against everything that is there.
    pub(crate) fn check(&self, rest: &Rest) {
        let mut points: BTreeMap<RunId, BTreeMap<u64, f64>> = BTreeMap::new();
        for point in &rest.points {
            let doubled = points.entry(point.run).or_default().insert(point.step, point.value);
            assert_eq!(doubled, None, "{point:?} is there twice");
            assert_eq!(
                point.value.to_bits(),
                value(point.run, point.step).to_bits(),
                "{point:?} has other bits"
            );
        }
        for (run, steps) in &self.acknowledged {
            for step in steps {
                let there = points.get(run).is_some_and(|points| points.contains_key(step));
                assert!(there, "the point of run {run} at step {step} was acknowledged and is lost");
            }
        }
        for &StoredRun { id, state, in_plan, attempt, failures } in &rest.runs {
            assert_ne!(state, RunState::Running, "run {id} is held when all has come to rest");
            assert!(state.is_terminal() || !in_plan, "run {id} is {state} when all has come to rest");
            if state == RunState::Completed {
                let steps: Vec<u64> =
                    points.get(&id).into_iter().flat_map(|points| points.keys().copied()).collect();
                assert_eq!(steps, (1..=STEPS).collect::<Vec<_>>(), "run {id} is completed");
            }
            if self.completed.contains(&id) {
                assert_eq!(state, RunState::Completed, "run {id} was said to be completed");
            }
            let own = rest.attempts.iter().filter(|row| row.run == id && row.is_own_failure()).count();
            assert!(failures as usize <= own, "run {id} is charged {failures} failures and had {own}");
            let numbers = rest.attempts.iter().filter(|row| row.run == id).map(|row| row.number);
            assert!(numbers.eq(1..=attempt), "run {id} was claimed {attempt} times: {:?}", rest.attempts);
        }
        for &(run, number, ending) in &self.ended {
            let row = rest.attempts.iter().find(|row| (row.run, row.number) == (run, number));
            let outcome = row.and_then(|row| row.outcome.as_deref());
            assert_eq!(outcome, Some(ending), "attempt {number} of run {run} was told that it {ending}");
        }
        check_events(&rest.events);
    }
}

/// Numbers without gaps, attempts that never decrease, and an end that only `retry` takes back.
fn check_events(events: &[StoredEvent]) {
    let mut numbers: BTreeMap<i64, i64> = BTreeMap::new();
    let mut last: BTreeMap<RunId, &StoredEvent> = BTreeMap::new();
    for event in events {
        let number = numbers.entry(event.sweep).or_default();
        *number += 1;
        assert_eq!(event.number, *number, "events have a gap");
        if let Some(before) = last.insert(event.run, event) {
            assert!(event.attempt >= before.attempt, "{event:?} after {before:?}");
            if before.state.is_terminal() {
                let by_retry = event.state == RunState::Queued && event.by_person;
                assert!(by_retry && before.state != RunState::Completed, "{event:?} after {before:?}");
            }
            if event.state == RunState::Running {
                assert_eq!(before.state, RunState::Queued, "{event:?} after {before:?}");
                assert_eq!(event.attempt, before.attempt + 1, "{event:?} after {before:?}");
            }
        }
    }
}
