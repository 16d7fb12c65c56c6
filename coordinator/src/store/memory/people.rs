//! What people want of runs, sweeps and machines.

use acai_sweep::control::{Change, Intent};
use acai_sweep::run::RunState;

use super::state::{Run, State};
use crate::store::rules::{BY_REQUEST, change_of};
use crate::store::{Changes, Duty, Result, RunId, StoreError, SweepId};

impl State {
    /// Applies an intent to the runs of these numbers in the sweep's plan, or to all of it if there are none; `None` if there is
    /// no such sweep.
    pub(super) fn change(
        &mut self,
        sweep: &str,
        numbers: &[u32],
        intent: &Intent,
        now_ms: i64,
    ) -> Result<Option<Changes>> {
        let Some(sweep) = self.sweep_id(sweep) else { return Ok(None) };
        let is_whole = numbers.is_empty();
        let selected: Vec<RunId> = {
            let plan = self.plan(sweep);
            if let Some(&number) =
                numbers.iter().find(|number| !plan.iter().any(|run| run.number == **number))
            {
                return Err(StoreError::NoSuchRun { number });
            }
            let is_meant = |run: &&Run| {
                let is_leaving = !run.in_plan && run.state == RunState::Running && *intent == Intent::Cancel;
                match is_whole {
                    true => run.in_plan || is_leaving,
                    false => run.in_plan && numbers.contains(&run.number),
                }
            };
            self.runs_of(sweep).filter(is_meant).map(|run| run.id).collect()
        };
        if is_whole {
            self.set_paused(sweep, intent)?;
        }
        let mut changes = Changes::default();
        let mut changed = Vec::new();
        for id in selected {
            let Some(run) = self.runs.get_mut(&id) else { continue };
            match change_of(intent, is_whole, run.state, run.desired) {
                Change::Nothing => changes.unchanged += 1,
                Change::Ask(desired) => {
                    run.desired = Some(desired);
                    changes.asked += 1;
                }
                Change::Withdraw => {
                    run.desired = None;
                    changes.changed += 1;
                }
                Change::Become(next) => {
                    run.enter(next, intent, now_ms);
                    if matches!(intent, Intent::Retry { from_scratch: true, .. }) {
                        self.forget_files(id, now_ms);
                    }
                    changed.push(id);
                    changes.changed += 1;
                }
            }
        }
        self.note(sweep, &changed, false, None, now_ms)?;
        self.forget_failures_undone(sweep)?;
        Ok(Some(changes))
    }

    /// Pauses or resumes the sweep itself, if the intent is that.
    fn set_paused(&mut self, id: SweepId, intent: &Intent) -> Result<()> {
        let failed = self.failed_runs(id);
        let sweep = self.sweep_mut(id)?;
        match intent {
            Intent::Pause | Intent::PauseNow => {
                sweep.paused.get_or_insert_with(|| BY_REQUEST.to_owned());
            }
            Intent::Resume => (sweep.paused, sweep.failed_at_resume) = (None, failed),
            Intent::Cancel | Intent::Retry { .. } => {}
        }
        Ok(())
    }

    /// Changes a sweep's priority and limit (0: none); false if there is no such sweep.
    pub(super) fn set_limits(
        &mut self,
        sweep: &str,
        priority: Option<i64>,
        max_concurrent: Option<u32>,
    ) -> bool {
        let Some(sweep) = self.sweep_id(sweep).and_then(|id| self.sweeps.get_mut(&id)) else { return false };
        sweep.file.priority = priority.unwrap_or(sweep.file.priority);
        if let Some(most) = max_concurrent {
            sweep.file.max_concurrent = Some(most).filter(|most| *most > 0);
        }
        true
    }

    /// Says whether workers of this name take runs; answers how many they hold, `None` if there has never been one.
    pub(super) fn set_duty(&mut self, machine: &str, duty: Duty) -> Option<u32> {
        let is_of = |worker: &&super::state::Worker| worker.registration.name == machine;
        self.workers.values().find(is_of)?;
        self.duties.insert(machine.to_owned(), duty);
        let is_held =
            |run: &&Run| run.state == RunState::Running && self.worker_name(run).as_deref() == Some(machine);
        Some(u32::try_from(self.runs.values().filter(is_held).count()).unwrap_or(u32::MAX))
    }

    /// Deletes a sweep with all that it has; false if there is no such sweep.
    pub(super) fn forget(&mut self, sweep: &str, now_ms: i64) -> Result<bool> {
        let Some(id) = self.sweep_id(sweep) else { return Ok(false) };
        let running = self.runs_of(id).filter(|run| run.state == RunState::Running).count();
        if running > 0 {
            return Err(StoreError::Conflict(format!(
                "{running} runs of {sweep} are being trained\nhint: `acai cancel {sweep}` first, and wait until they are given back"
            )));
        }
        let runs: Vec<RunId> = self.runs_of(id).map(|run| run.id).collect();
        for run in runs {
            self.forget_files(run, now_ms);
            self.runs.remove(&run);
        }
        self.sweeps.remove(&id);
        Ok(true)
    }
}

impl Run {
    /// Enters a state because a person wants it. A retry also forgets failures, losses and faults.
    fn enter(&mut self, next: RunState, intent: &Intent, now_ms: i64) {
        self.state = next;
        if next == RunState::Queued {
            self.queued_ms = now_ms;
        }
        if matches!(intent, Intent::Retry { .. }) {
            (self.failures, self.losses) = (0, 0);
            (self.faults_after, self.alone) = (self.attempt(), false);
        }
    }
}
