//! How attempts end, and until when they hold their runs.

use std::collections::BTreeSet;

use acai_sweep::run::{Interruption, RunState, after};
use acai_sweep::spelling::counted;

use super::state::{Lease, Run, State};
use crate::store::outcome::{Outcome, lasting_message};
use crate::store::rules::{FRESH_TERMS, storable};
use crate::store::{AttemptRef, Duty, Renewal, Result, StoreError, SweepId};

/// What a lost worker's attempts are said to have ended by.
const SILENT: &str = "its worker stopped renewing the lease";

impl State {
    /// Whether this call ends the attempt: false if the attempt has ended like this before, and the call is a repeated one.
    fn ends(&self, attempt: AttemptRef, outcome: &str) -> Result<bool> {
        let fenced = || StoreError::Fenced(attempt);
        let run = self.runs.get(&attempt.run).ok_or_else(fenced)?;
        let place = (attempt.number as usize).checked_sub(1).ok_or_else(fenced)?;
        let stored = run.attempts.get(place).filter(|stored| stored.is(attempt)).ok_or_else(fenced)?;
        match stored.outcome {
            Some(before) if before == outcome => Ok(false),
            None if run.attempt() == attempt.number && run.state == RunState::Running => Ok(true),
            _ => Err(fenced()),
        }
    }

    /// Marks the attempt that holds its run as ended.
    fn end(&mut self, attempt: AttemptRef, outcome: &'static str, message: Option<&str>, now_ms: i64) {
        let run = self.runs.get_mut(&attempt.run);
        if let Some(ended) = run.and_then(|run| run.attempts.last_mut()) {
            ended.ended_ms = Some(now_ms);
            ended.outcome = Some(outcome);
            ended.message = message.map(str::to_owned);
        }
    }

    /// Ends a run that has all its steps and points.
    pub(super) fn complete(
        &mut self,
        attempt: AttemptRef,
        step: u64,
        last_seq: u64,
        now_ms: i64,
    ) -> Result<()> {
        if !self.ends(attempt, "completed")? {
            return Ok(());
        }
        let run = self.held(attempt)?;
        let total = run.total_steps;
        if step != total {
            return Err(StoreError::Conflict(format!("the run has {total} steps, not {step}")));
        }
        let acked = run.acked_seq(attempt);
        if acked != last_seq {
            let problem =
                format!("{acked} of its points are durable, but it says that it reported {last_seq}");
            return Err(StoreError::Conflict(problem));
        }
        // A person who wanted the run to be cancelled or paused was too late: the first end of a run stands.
        run.state = RunState::Completed;
        (run.lease, run.desired, run.step) = (None, None, step);
        let sweep = run.sweep;
        self.end(attempt, "completed", None, now_ms);
        self.drop_all_but(attempt.run, 1, now_ms);
        self.note(sweep, &[attempt.run], true, None, now_ms)
    }

    /// Ends an attempt by the run's own fault; answers what became of the run.
    pub(super) fn fail(
        &mut self,
        attempt: AttemptRef,
        outcome: Outcome,
        message: &str,
        last_seq: u64,
        now_ms: i64,
    ) -> Result<RunState> {
        self.ends(attempt, outcome.as_str())?;
        let acked = self.runs.get(&attempt.run).map_or(0, |run| run.acked_seq(attempt));
        if acked < last_seq {
            let problem =
                format!("{acked} of its points are durable, but it says that {last_seq} were acknowledged");
            return Err(StoreError::Conflict(problem));
        }
        self.interrupt(attempt, outcome, Some(message), now_ms)
    }

    /// Ends an attempt that did not complete its run; answers what became of the run.
    pub(super) fn interrupt(
        &mut self,
        attempt: AttemptRef,
        outcome: Outcome,
        said: Option<&str>,
        now_ms: i64,
    ) -> Result<RunState> {
        if !self.ends(attempt, outcome.as_str())? {
            return self.runs.get(&attempt.run).map(|run| run.state).ok_or(StoreError::Fenced(attempt));
        }
        let said = said.map(storable);
        let said = said.as_deref();
        self.end(attempt, outcome.as_str(), said, now_ms);
        let interruption = self.charge(attempt, outcome)?;
        let run = self.held(attempt)?;
        let next = after(interruption, run.desired);
        let message = lasting_message(next, interruption, said);
        (run.state, run.lease, run.desired) = (next, None, None);
        run.message = message.clone().or(run.message.take());
        if next == RunState::Queued {
            run.queued_ms = now_ms;
        }
        let sweep = run.sweep;
        let remark = message.or_else(|| outcome.remark(said.unwrap_or_default()));
        self.note(sweep, &[attempt.run], true, remark.as_deref(), now_ms)?;
        if matches!(next, RunState::Failed | RunState::Lost) {
            self.pause_if_too_many_failed(sweep)?;
        }
        Ok(next)
    }

    /// Charges the run with what its attempt has come to.
    fn charge(&mut self, attempt: AttemptRef, outcome: Outcome) -> Result<Interruption> {
        let sweep = self.held(attempt)?.sweep;
        let file = &self.sweep_mut(sweep)?.file;
        let (max_restarts, max_lost_workers) = (file.max_restarts, file.max_lost_workers);
        let run = self.held(attempt)?;
        Ok(match outcome {
            Outcome::Diverged => {
                run.failures += 1;
                Interruption::Diverged
            }
            Outcome::Failed => {
                run.failures += 1;
                Interruption::Failed { failures: run.failures, max_restarts }
            }
            Outcome::Lost => {
                run.losses += 1;
                Interruption::Lost { losses: run.losses, max_lost_workers }
            }
            Outcome::MachineFault => {
                if let Some(ended) = run.attempts.last_mut() {
                    ended.machine_fault = true;
                }
                let run = &*run;
                let faults = run.faults().map(|(_, attempt)| attempt.worker.clone()).collect::<Vec<_>>();
                let machine = |worker: &String| Some(self.workers.get(worker)?.registration.name.clone());
                let machines: BTreeSet<String> = faults.iter().filter_map(machine).collect();
                Interruption::MachineFault { machines: u32::try_from(machines.len()).unwrap_or(u32::MAX) }
            }
            Outcome::GroupFault => {
                run.alone = true;
                Interruption::Released
            }
            Outcome::Released => Interruption::Released,
        })
    }

    /// Pauses the sweep if, since it was last resumed, as many of its runs have ended badly as it allows.
    fn pause_if_too_many_failed(&mut self, id: SweepId) -> Result<()> {
        let failed = self.failed_runs(id);
        let sweep = self.sweep_mut(id)?;
        if let Some(most) = sweep.file.max_failed_runs
            && sweep.paused.is_none()
            && most as usize <= failed.saturating_sub(sweep.failed_at_resume)
        {
            let failed = counted(most, "run");
            sweep.paused = Some(format!("{failed} failed, as many as max_failed_runs allows"));
        }
        Ok(())
    }

    /// Extends the leases that these attempts hold.
    pub(super) fn renew(
        &mut self,
        worker: &str,
        attempts: &[AttemptRef],
        now_ms: i64,
        term_ms: i64,
    ) -> Result<Renewal> {
        let machine = self.seen(worker, now_ms)?;
        let is_drained = self.duty(&machine) == Duty::Drained;
        let mut renewal = Renewal::default();
        for &attempt in attempts {
            let Ok(run) = self.held(attempt) else {
                renewal.fenced.push(attempt);
                continue;
            };
            run.lease = Some(Lease { expires_ms: now_ms.saturating_add(term_ms), term_ms, fresh_terms: 0 });
            run.worker = Some(worker.to_owned());
            if is_drained || run.desired.is_some() || !run.in_plan {
                renewal.yielding.push(attempt);
            }
        }
        Ok(renewal)
    }

    /// Takes the runs whose lease ended before this time from their attempts.
    pub(super) fn expire(&mut self, before_ms: i64, now_ms: i64) -> Result<Vec<AttemptRef>> {
        let is_over = |run: &&Run| run.lease.is_some_and(|lease| lease.expires_ms < before_ms);
        let over = self.runs.values().filter(|run| run.state == RunState::Running).filter(is_over);
        let mut lost: Vec<(SweepId, AttemptRef)> =
            over.filter_map(|run| Some((run.sweep, run.latest()?))).collect();
        lost.sort_by_key(|(sweep, attempt)| (*sweep, attempt.run));
        for &(_, attempt) in &lost {
            self.interrupt(attempt, Outcome::Lost, Some(SILENT), now_ms)?;
        }
        Ok(lost.into_iter().map(|(_, attempt)| attempt).collect())
    }

    /// Gives running leases a fresh term, of the length that their workers know or of `term_ms` where that is longer. Workers
    /// that were heard of by a clock that was set back since count as heard of now.
    pub(super) fn grant_fresh_terms(&mut self, now_ms: i64, term_ms: i64) -> u64 {
        let running = self.runs.values_mut().filter(|run| run.state == RunState::Running);
        let mut given = 0;
        for lease in running.filter_map(|run| run.lease.as_mut()) {
            let fresh_ms = now_ms.saturating_add(lease.term_ms.max(term_ms));
            // No lease ends later than a fresh term would, even if the clock was changed since the lease was given.
            let is_longer = lease.expires_ms > fresh_ms;
            let is_shorter = lease.expires_ms < fresh_ms && lease.fresh_terms < FRESH_TERMS;
            if is_longer || is_shorter {
                lease.expires_ms = fresh_ms;
                lease.fresh_terms += 1;
                given += 1;
            }
        }
        for worker in self.workers.values_mut() {
            worker.last_seen_ms = worker.last_seen_ms.min(now_ms);
        }
        given
    }

    /// Notes the time of the worker's call; answers the name of its machine.
    pub(super) fn seen(&mut self, worker: &str, now_ms: i64) -> Result<String> {
        let known =
            self.workers.get_mut(worker).ok_or_else(|| StoreError::UnknownWorker(worker.to_owned()))?;
        known.last_seen_ms = now_ms;
        Ok(known.registration.name.clone())
    }
}

impl Run {
    /// The attempts that count as faults of their machines, with their numbers.
    pub(super) fn faults(&self) -> impl DoubleEndedIterator<Item = (u32, &super::state::Attempt)> {
        let numbered = self.attempts.iter().enumerate();
        let numbered =
            numbered.map(|(place, attempt)| (u32::try_from(place + 1).unwrap_or(u32::MAX), attempt));
        numbered.filter(|(number, attempt)| attempt.machine_fault && *number > self.faults_after)
    }
}
