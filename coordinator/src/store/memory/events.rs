//! What happened to runs.

use super::state::State;
use crate::store::rules::storable;
use crate::store::{AttemptRef, EVENTS_KEPT, EventRecord, Place, Result, RunId, StoreError, SweepId};

/// Runs whose histories are shortened at a time.
const HISTORIES: usize = 100;

impl State {
    /// Adds an event for each of these runs of a sweep, in the plan's order; with the names of their workers, or without.
    pub(super) fn note(
        &mut self,
        sweep: SweepId,
        runs: &[RunId],
        is_by_worker: bool,
        message: Option<&str>,
        now_ms: i64,
    ) -> Result<()> {
        let mut runs: Vec<_> = runs.iter().filter_map(|run| self.runs.get(run)).collect();
        runs.sort_by_key(|run| (run.place, run.id));
        let event = |run: &super::state::Run| EventRecord {
            number: 0,
            at_ms: now_ms,
            run: run.id,
            run_number: run.number,
            state: run.state,
            attempt: run.attempt(),
            worker: self.worker_name(run).filter(|_| is_by_worker),
            message: message.map(str::to_owned),
        };
        let events: Vec<EventRecord> = runs.into_iter().map(event).collect();
        let sweep = self.sweep_mut(sweep)?;
        for event in events {
            sweep.last_event += 1;
            sweep.events.push(EventRecord { number: sweep.last_event, ..event });
        }
        Ok(())
    }

    /// Adds an event with a message of a running attempt, unless the run's last event has the same message.
    pub(super) fn tell(&mut self, attempt: AttemptRef, message: &str, now_ms: i64) -> Result<()> {
        let message = storable(message);
        let message = message.as_str();
        let sweep = self.held(attempt)?.sweep;
        let of_run = |event: &&EventRecord| event.run == attempt.run;
        let last = self.sweep_mut(sweep)?.events.iter().rev().find(of_run);
        if last.and_then(|event| event.message.as_deref()) == Some(message) {
            return Ok(());
        }
        self.note(sweep, &[attempt.run], true, Some(message), now_ms)
    }

    /// The sweep's events after a place, at most `most`.
    pub(super) fn events(&self, sweep: &str, after: Place, most: u32) -> Result<Vec<EventRecord>> {
        let sweep = self.sweep_id(sweep).and_then(|id| self.sweeps.get(&id));
        let (events, last) = sweep.map_or((&[][..], 0), |sweep| (sweep.events.as_slice(), sweep.last_event));
        if after.number > last {
            return Err(StoreError::NoSuchEvent { after: after.number, last });
        }
        let at = events.iter().find(|event| event.number == after.number && after.number > 0);
        // An event that is gone was deleted for its age.
        if let (Some(event), Some(seen_ms)) = (at, after.at_ms)
            && event.at_ms != seen_ms
        {
            return Err(StoreError::OtherEvent(after.number));
        }
        let later = events.iter().filter(|event| event.number > after.number);
        Ok(later.take(most as usize).cloned().collect())
    }

    /// Deletes events from before this time of runs that have more than are kept, but for the last ones of each.
    pub(super) fn forget_events(&mut self, before_ms: i64) -> u64 {
        let (mut deleted, mut shortened) = (0, 0);
        for sweep in self.sweeps.values_mut() {
            let mut runs: Vec<RunId> = sweep.events.iter().map(|event| event.run).collect();
            runs.sort_unstable();
            runs.dedup();
            for run in runs {
                let of_run: Vec<&EventRecord> =
                    sweep.events.iter().filter(|event| event.run == run).collect();
                let kept_from = of_run.len().saturating_sub(EVENTS_KEPT as usize);
                let old = of_run[..kept_from].iter().filter(|event| event.at_ms < before_ms);
                let old: Vec<u64> = old.map(|event| event.number).collect();
                if old.is_empty() || shortened == HISTORIES {
                    continue;
                }
                shortened += 1;
                deleted += old.len() as u64;
                sweep.events.retain(|event| !old.contains(&event.number));
            }
        }
        deleted
    }
}
