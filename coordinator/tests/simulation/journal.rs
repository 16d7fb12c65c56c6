//! What workers were told, and what must therefore be true.

use std::collections::{BTreeMap, BTreeSet};

use acai_coordinator::store::{AttemptRef, EventRecord};
use acai_sweep::run::RunState;

use crate::points::Stored;
use crate::worker::{STEPS, value};

/// Noted outside of the store, when an answer arrives.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Steps whose points were acknowledged, by run.
    acknowledged: BTreeMap<u64, BTreeSet<u64>>,
    /// Runs that somebody was told are completed.
    completed: BTreeSet<u64>,
    /// The highest attempt that was granted.
    granted: BTreeMap<u64, u32>,
    /// Attempts that were told that they are fenced.
    fenced: BTreeSet<(u64, u32)>,
}

impl Journal {
    pub(crate) fn granted(&mut self, attempt: AttemptRef) {
        let highest = self.granted.entry(attempt.run).or_default();
        // The same grant may be answered again; a lower one never is.
        assert!(attempt.number >= *highest, "attempt {attempt:?} was granted after {highest}");
        assert!(
            !self.fenced.contains(&(attempt.run, attempt.number)),
            "{attempt:?} was granted after it was fenced"
        );
        *highest = attempt.number;
    }

    /// Whether it was granted, and none of the run after it.
    pub(crate) fn knows(&self, attempt: AttemptRef) -> bool {
        self.granted.get(&attempt.run) == Some(&attempt.number)
    }

    pub(crate) fn fenced(&mut self, attempt: AttemptRef) {
        self.fenced.insert((attempt.run, attempt.number));
    }

    /// The store took something from this attempt.
    pub(crate) fn taken_from(&self, attempt: AttemptRef) {
        let highest = self.granted.get(&attempt.run).copied().unwrap_or_default();
        assert!(attempt.number >= highest, "a zombie: {attempt:?} wrote when attempt {highest} had the run");
        assert!(
            !self.fenced.contains(&(attempt.run, attempt.number)),
            "{attempt:?} wrote after it was fenced"
        );
    }

    pub(crate) fn acknowledged(&mut self, attempt: AttemptRef, steps: impl Iterator<Item = u64>) {
        self.acknowledged.entry(attempt.run).or_default().extend(steps);
    }

    pub(crate) fn completed(&mut self, attempt: AttemptRef) {
        self.completed.insert(attempt.run);
    }

    /// A run is resumed at `step`: nobody will report what comes before it again, so all of it must be there.
    pub(crate) fn resumed(&self, run: u64, step: u64, stored: &[Stored]) {
        let there: BTreeSet<u64> =
            stored.iter().filter(|point| point.run == run).map(|point| point.step).collect();
        for before in 1..=step {
            assert!(
                there.contains(&before),
                "run {run} resumes at {step}, but the point of step {before} is nowhere"
            );
        }
    }

    /// Holds everything that was told against everything that is there, when all has come to rest.
    pub(crate) fn check(&self, runs: &[(u64, RunState)], stored: &[Stored], events: &[EventRecord]) {
        let mut points: BTreeMap<u64, BTreeMap<u64, f64>> = BTreeMap::new();
        for point in stored {
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
        for &(run, state) in runs {
            assert!(state.is_terminal(), "run {run} is {state} when all has come to rest");
            if state == RunState::Completed {
                let steps: Vec<u64> =
                    points.get(&run).into_iter().flat_map(|points| points.keys().copied()).collect();
                assert_eq!(steps, (1..=STEPS).collect::<Vec<_>>(), "run {run} is completed");
            }
            if self.completed.contains(&run) {
                assert_eq!(state, RunState::Completed, "run {run} was said to be completed");
            }
        }
        check_events(events);
    }
}

/// Numbers without gaps, attempts that never decrease, and an end that only `retry` takes back.
fn check_events(events: &[EventRecord]) {
    let mut last: BTreeMap<u32, &EventRecord> = BTreeMap::new();
    for (number, event) in (1..).zip(events) {
        assert_eq!(event.number, number, "events have a gap");
        if let Some(before) = last.insert(event.index, event) {
            assert!(event.attempt >= before.attempt, "{event:?} after {before:?}");
            let by_retry = event.state == RunState::Queued && event.worker.is_none();
            if before.state.is_terminal() {
                assert!(by_retry && before.state != RunState::Completed, "{event:?} after {before:?}");
            }
            if event.state == RunState::Running {
                assert_eq!(before.state, RunState::Queued, "{event:?} after {before:?}");
                assert_eq!(event.attempt, before.attempt + 1, "{event:?} after {before:?}");
            }
        }
    }
}
