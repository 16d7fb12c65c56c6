//! Workers: what they say of themselves, and when they were last seen.

use acai_sweep::run::RunState;

use super::state::{Run, State, Worker};
use crate::store::rules::storable;
use crate::store::{Registration, Rest, Result, StoreError, WorkerRecord};

/// Workers that are forgotten at a time.
const STEP: usize = 1000;

impl State {
    pub(super) fn register(&mut self, registration: &Registration, now_ms: i64) {
        let new = || Worker {
            registration: registration.clone(),
            last_seen_ms: now_ms,
            claims: 0,
            ended: false,
            rest: None,
        };
        let worker = self.workers.entry(registration.id.clone()).or_insert_with(new);
        worker.registration = registration.clone();
        worker.last_seen_ms = now_ms;
    }

    pub(super) fn worker_mut(&mut self, worker: &str) -> Result<&mut Worker> {
        self.workers.get_mut(worker).ok_or_else(|| StoreError::UnknownWorker(worker.to_owned()))
    }

    /// Notes which of the worker's slots rest.
    pub(super) fn set_rest(&mut self, worker: &str, rest: &Rest) -> Result<()> {
        let rest = Rest { reason: storable(&rest.reason), slots: rest.slots };
        self.worker_mut(worker)?.rest = Some(rest).filter(|rest| rest.slots > 0);
        Ok(())
    }

    /// The workers that were seen since this time or hold runs, in the order of their ids after this one, at most `most`.
    pub(super) fn worker_list(&self, since_ms: i64, after: &str, most: u32) -> Vec<WorkerRecord> {
        let record = |(id, worker): (&String, &Worker)| {
            let is_held =
                |run: &&Run| run.state == RunState::Running && run.worker.as_deref() == Some(id.as_str());
            let running = self.runs.values().filter(is_held).count();
            (id.as_str() > after && (worker.last_seen_ms >= since_ms || running > 0)).then(|| WorkerRecord {
                registration: worker.registration.clone(),
                last_seen_ms: worker.last_seen_ms,
                running: u32::try_from(running).unwrap_or(u32::MAX),
                duty: self.duty(&worker.registration.name),
                rest: worker.rest.clone(),
                ended: worker.ended,
            })
        };
        self.workers.iter().filter_map(record).take(most as usize).collect()
    }

    /// Deletes workers that were not seen since this time and have never held a run.
    pub(super) fn forget_workers(&mut self, before_ms: i64) -> u64 {
        let is_needed = |id: &String| {
            let has_trained = |run: &Run| {
                run.worker.as_ref() == Some(id) || run.attempts.iter().any(|attempt| attempt.worker == *id)
            };
            self.runs.values().any(has_trained)
        };
        let old = self.workers.iter().filter(|(_, worker)| worker.last_seen_ms < before_ms);
        let mut old: Vec<(i64, String)> = old
            .filter(|(id, _)| !is_needed(id))
            .map(|(id, worker)| (worker.last_seen_ms, id.clone()))
            .collect();
        old.sort();
        old.truncate(STEP);
        for (_, id) in &old {
            self.workers.remove(id);
        }
        old.len() as u64
    }
}
