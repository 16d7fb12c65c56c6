//! The submission of a sweep's file, and sweeps that come from elsewhere.

use std::collections::HashMap;

use acai_sweep::configuration::Configuration;
use acai_sweep::run::RunState;

use super::state::{Run, State, Sweep};
use crate::store::rules::storable;
use crate::store::{
    ImportedRun, NewRun, NewSweep, Point, Replacing, Result, RunId, StoreError, Submission, SweepId,
};

impl State {
    /// Makes the runs of the file the sweep's plan, unless the file says otherwise; answers what that changes.
    pub(super) fn submit(&mut self, mut file: NewSweep, now_ms: i64) -> Result<Submission> {
        let planned = std::mem::take(&mut file.runs);
        let replacing = file.replacing;
        // A dry run submits to a copy.
        let mut next = self.clone();
        let submitter = file.submitter.clone();
        let sweep = next.store_file(file, now_ms);
        let submission = next.replan(sweep, &planned, now_ms)?;
        if let Some(who) = &submitter {
            next.check(who, self.holding(who))?;
        }
        let is_stored = match replacing {
            Replacing::DryRun => false,
            Replacing::WithoutResults => submission.set_aside_with_results == 0,
            Replacing::Any => true,
        };
        if is_stored {
            *self = next;
        }
        Ok(Submission { is_stored, ..submission })
    }

    fn store_file(&mut self, file: NewSweep, now_ms: i64) -> SweepId {
        let file = NewSweep { description: storable(&file.description), ..file };
        let known = self.sweep_id(&file.name);
        if let Some((id, sweep)) = known.and_then(|id| Some((id, self.sweeps.get_mut(&id)?))) {
            sweep.file = file;
            return id;
        }
        let last = self.sweeps.last_key_value().map_or(0, |(id, _)| i64::from(*id));
        let id = SweepId::from(last + 1);
        let sweep = Sweep {
            file,
            submitted_ms: now_ms,
            paused: None,
            failed_at_resume: 0,
            events: Vec::new(),
            last_event: 0,
            numbered: 0,
        };
        self.sweeps.insert(id, sweep);
        id
    }

    fn replan(&mut self, sweep: SweepId, planned: &[NewRun], now_ms: i64) -> Result<Submission> {
        let key = |run: &Run| (run.planned.config_hash.clone(), run.seed);
        let mut known: HashMap<(String, u64), RunId> =
            self.runs_of(sweep).map(|run| (key(run), run.id)).collect();
        let is_first = known.is_empty();
        let mut new = Vec::new();
        for (place, run) in (0..).zip(planned) {
            match known.remove(&(run.configuration.config_hash.clone(), run.seed)) {
                None => new.push(self.add_run(sweep, place, run, now_ms)?),
                Some(id) => self.move_in_plan(id, place, now_ms),
            }
        }
        let mut left: Vec<RunId> = known.values().copied().collect();
        left.retain(|id| self.runs.get(id).is_some_and(|run| run.in_plan));
        for id in &left {
            if let Some(run) = self.runs.get_mut(id) {
                run.in_plan = false;
            }
        }
        self.forget_failures_undone(sweep)?;
        let of = |ids: &[RunId], is: &dyn Fn(&Run) -> bool| {
            let count = ids.iter().filter_map(|id| self.runs.get(id)).filter(|run| is(run)).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        let lengthens = |run: &Run| {
            let has_basis = |shorter: &Run| shorter.committed().any(|(step, _)| step < run.total_steps);
            !is_first && self.relatives(run).any(has_basis)
        };
        let new_runs = of(&new, &|_| true);
        Ok(Submission {
            new_runs,
            lengthened_runs: of(&new, &lengthens),
            existing_runs: u32::try_from(planned.len()).unwrap_or(u32::MAX) - new_runs,
            other_runs: u32::try_from(known.len()).unwrap_or(u32::MAX),
            set_aside: of(&left, &|_| true),
            set_aside_with_results: of(&left, &|run| !run.metrics.is_empty()),
            is_stored: true,
        })
    }

    fn add_run(&mut self, id: SweepId, place: u32, planned: &NewRun, now_ms: i64) -> Result<RunId> {
        let json = &planned.configuration.json;
        let configuration = Configuration::from_json(json)
            .map_err(|error| StoreError::Corrupt(format!("`{json}`: {error}")))?;
        let sweep = self.sweep_mut(id)?;
        let number = sweep.numbered;
        sweep.numbered += 1;
        let last = self.runs.last_key_value().map_or(0, |(id, _)| u64::from(*id));
        let run = Run {
            // As SQLite does: the id of a run that is forgotten may be given again.
            id: RunId::from(last + 1),
            sweep: id,
            number,
            place,
            in_plan: true,
            seed: planned.seed,
            planned: planned.configuration.clone(),
            configuration,
            total_steps: planned.total_steps,
            state: RunState::Queued,
            queued_ms: now_ms,
            step: 0,
            worker: None,
            lease: None,
            desired: None,
            failures: 0,
            losses: 0,
            message: None,
            faults_after: 0,
            alone: false,
            void_attempts: 0,
            attempts: Vec::new(),
            metrics: Default::default(),
            checkpoints: Default::default(),
            artifacts: Default::default(),
        };
        let id = run.id;
        self.runs.insert(id, run);
        Ok(id)
    }

    /// Gives a stored run its place. One that comes back into the plan waits from now on.
    fn move_in_plan(&mut self, id: RunId, place: u32, now_ms: i64) {
        if let Some(run) = self.runs.get_mut(&id) {
            run.place = place;
            if !std::mem::replace(&mut run.in_plan, true) {
                run.queued_ms = now_ms;
            }
        }
    }

    /// Stores a sweep and the ends of its runs; false if there is a sweep of that name.
    pub(super) fn import(&mut self, file: NewSweep, runs: Vec<ImportedRun>, now_ms: i64) -> Result<bool> {
        if self.sweep_id(&file.name).is_some() {
            return Ok(false);
        }
        // An import that is refused has changed a copy.
        let (mut next, name, submitter) = (self.clone(), file.name.clone(), file.submitter.clone());
        next.submit(file, now_ms)?;
        if let Some(who) = &submitter {
            let files = || runs.iter().flat_map(|run| &run.artifacts).map(|(artifact, _)| artifact);
            next.check_bytes(who, files().map(|artifact| artifact.bytes).sum())?;
            for artifact in files() {
                next.announced.remove(&(who.token.clone(), artifact.sha256.clone()));
            }
        }
        let Some(sweep) = next.sweep_id(&name) else { return Ok(false) };
        let mut ended = Vec::with_capacity(runs.len());
        for imported in runs {
            ended.push(next.end_imported(sweep, imported, now_ms)?);
        }
        next.note(sweep, &ended, false, Some("imported"), now_ms)?;
        *self = next;
        Ok(true)
    }

    fn end_imported(&mut self, sweep: SweepId, imported: ImportedRun, now_ms: i64) -> Result<RunId> {
        let ImportedRun { config_hash, seed, .. } = &imported;
        let is_meant = |run: &&mut Run| {
            run.sweep == sweep && run.planned.config_hash == *config_hash && run.seed == *seed
        };
        let run = self.runs.values_mut().find(is_meant).ok_or_else(|| {
            StoreError::Conflict(format!(
                "the sweep's file asks for no run of configuration {config_hash} and seed {seed}"
            ))
        })?;
        run.state = imported.state;
        run.step = imported.step.min(run.total_steps);
        (run.failures, run.message) = (imported.failures, imported.message.as_deref().map(storable));
        for (name, curve) in imported.curves {
            let point = |(step, value)| Point { name: name.clone(), step, value };
            let points: Vec<Point> = curve.into_iter().map(point).collect();
            run.add_points(0, &points);
        }
        let id = run.id;
        for (artifact, brought_by) in imported.artifacts {
            self.keep_artifact(id, brought_by, artifact, now_ms)?;
        }
        Ok(id)
    }
}
