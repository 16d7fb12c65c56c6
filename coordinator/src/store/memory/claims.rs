//! Which queued runs a worker is granted: the tables in [`acai_sweep::schedule`], word by word.

use std::collections::BTreeMap;

use acai_sweep::run::RunState;
use acai_sweep::schedule::{Candidate, is_on_any_worker};

use super::state::{self, Lease, Run, State};
use crate::store::rules::{EARLIER_ATTEMPTS, ELSEWHERE_MS, choose};
use crate::store::{AttemptRef, Checkpoint, Claim, Duty, EarlierAttempt, Grant, Result, RunId, SweepId};

impl State {
    /// Starts attempts at queued runs for a worker, if the worker takes runs and waits for the answer to this claim.
    pub(super) fn claim(&mut self, claim: &Claim, now_ms: i64, term_ms: i64) -> Result<()> {
        let machine = self.seen(&claim.worker, now_ms)?;
        if !self.is_awaited(claim) || self.duty(&machine) != Duty::Open {
            return Ok(());
        }
        let (candidates, headroom) = self.queue(&claim.worker, &machine, now_ms);
        let groups = choose(claim, &candidates, headroom);
        let mut started = BTreeMap::<SweepId, Vec<RunId>>::new();
        for (group, runs) in (0..).zip(groups) {
            for run in runs.into_iter().map(RunId::from) {
                self.lengthen(run, now_ms);
                if let Some(sweep) = self.start(run, claim, group, now_ms, term_ms) {
                    started.entry(sweep).or_default().push(run);
                }
            }
        }
        for (sweep, runs) in started {
            self.note(sweep, &runs, true, None, now_ms)?;
        }
        Ok(())
    }

    /// Whether the worker still waits for the answer to this claim, which counts as answered from now on.
    fn is_awaited(&mut self, claim: &Claim) -> bool {
        if claim.number == 0 {
            return !self.runs.values().any(|run| run.attempts.iter().any(|attempt| attempt.is_of(claim)));
        }
        let Some(worker) = self.workers.get_mut(&claim.worker) else { return false };
        let is_awaited = worker.claims < claim.number && !worker.ended;
        if is_awaited {
            worker.claims = claim.number;
        }
        is_awaited
    }

    /// The runs that could start on this worker, in order, and how many more runs each sweep with a limit may start.
    fn queue(&self, worker: &str, machine: &str, now_ms: i64) -> (Vec<Candidate>, BTreeMap<i64, u32>) {
        let mut turns: Vec<_> = self.sweeps.iter().filter(|(_, sweep)| sweep.paused.is_none()).collect();
        turns.sort_by_key(|(id, sweep)| (std::cmp::Reverse(sweep.file.priority), **id));
        let datasets = self.workers.get(worker).map(|worker| &worker.registration.datasets);
        let (mut candidates, mut headroom) = (Vec::new(), BTreeMap::new());
        for (&id, sweep) in turns {
            if let Some(most) = sweep.file.max_concurrent {
                let running = self.runs_of(id).filter(|run| run.state == RunState::Running).count();
                let running = u32::try_from(running).unwrap_or(u32::MAX);
                headroom.insert(id.into(), most.saturating_sub(running));
            }
            for run in self.plan(id) {
                let dataset = &run.planned.dataset;
                let is_here = is_on_any_worker(dataset) || datasets.is_some_and(|has| has.contains(dataset));
                let is_elsewhere = self.could_not(run, machine, now_ms).is_some();
                if run.state == RunState::Queued && is_here && !is_elsewhere && !self.held.contains(&run.id) {
                    candidates.push(run.candidate());
                }
            }
        }
        (candidates, headroom)
    }

    /// The last attempt of which the machine said a moment ago that it cannot train the run.
    pub(super) fn could_not<'r>(
        &self,
        run: &'r Run,
        machine: &str,
        now_ms: i64,
    ) -> Option<&'r state::Attempt> {
        let is_recent = |ended_ms: i64| ended_ms > now_ms.saturating_sub(ELSEWHERE_MS) && ended_ms <= now_ms;
        let mut faults = run.faults().map(|(_, attempt)| attempt).rev();
        faults.find(|attempt| {
            let of = self.workers.get(&attempt.worker).map(|worker| worker.registration.name.as_str());
            of == Some(machine) && attempt.ended_ms.is_some_and(is_recent)
        })
    }

    /// Starts the run's next attempt; answers its sweep.
    fn start(&mut self, run: RunId, claim: &Claim, group: u32, now_ms: i64, term_ms: i64) -> Option<SweepId> {
        let run = self.runs.get_mut(&run)?;
        run.state = RunState::Running;
        run.worker = Some(claim.worker.clone());
        run.lease = Some(Lease { expires_ms: now_ms.saturating_add(term_ms), term_ms, fresh_terms: 0 });
        run.step = run.newest_step();
        run.attempts.push(state::Attempt {
            token: rand::random_range(1..=u64::MAX),
            worker: claim.worker.clone(),
            claim: claim.id.clone(),
            group,
            joined: claim.joins.as_ref().map(|joins| joins.group.clone()),
            started_ms: now_ms,
            ended_ms: None,
            outcome: None,
            message: None,
            acked_seq: 0,
            replay_mismatches: 0,
            machine_fault: false,
        });
        Some(run.sweep)
    }

    /// What the claim was granted and still holds.
    pub(super) fn granted(&self, claim: &Claim) -> Vec<Grant> {
        let held = self.runs.values().filter(|run| run.state == RunState::Running);
        let held = held.filter_map(|run| Some((run, run.attempts.last()?)));
        let mut held: Vec<_> = held.filter(|(_, attempt)| attempt.is_of(claim)).collect();
        held.sort_by_key(|(run, attempt)| (attempt.group, run.place));
        held.into_iter().filter_map(|(run, attempt)| self.grant(run, attempt)).collect()
    }

    fn grant(&self, run: &Run, attempt: &state::Attempt) -> Option<Grant> {
        let file = &self.sweeps.get(&run.sweep)?.file;
        let checkpoint = |(step, stored): (u64, &state::Checkpoint)| Checkpoint {
            step,
            sha256: stored.sha256.clone(),
            bytes: stored.bytes,
        };
        let earlier = (1..run.attempt()).zip(&run.attempts).map(|(number, earlier)| EarlierAttempt {
            number,
            token: earlier.token,
            acked_seq: earlier.acked_seq,
        });
        let mut earlier_attempts: Vec<EarlierAttempt> = earlier.collect();
        earlier_attempts.reverse();
        earlier_attempts.truncate(EARLIER_ATTEMPTS);
        Some(Grant {
            attempt: AttemptRef { run: run.id, number: run.attempt(), token: attempt.token },
            group: attempt.group,
            shape_key: (!run.alone).then(|| run.planned.shape_key.clone()),
            sweep: file.name.clone(),
            number: run.number,
            seed: run.seed,
            configuration: run.configuration.clone(),
            checkpoint_kimg: file.checkpoint_kimg,
            keeps_weights: file.keeps_weights,
            checkpoints: run.committed().map(checkpoint).collect(),
            void_attempts: run.void_attempts,
            earlier_attempts,
            waited_ms: Some(attempt.started_ms - run.queued_ms),
        })
    }

    /// The runs of the sweep that train the same as this one, but for how long, and have begun.
    pub(super) fn relatives(&self, run: &Run) -> impl Iterator<Item = &Run> {
        let (lineage, seed) = (run.planned.lineage.clone(), run.seed);
        self.runs_of(run.sweep).filter(move |other| {
            lineage.is_some() && other.planned.lineage == lineage && other.seed == seed && other.attempt() > 0
        })
    }

    /// Gives a run that has had no attempt what a shorter run has come to at its best checkpoint, as an attempt of its own.
    fn lengthen(&mut self, run: RunId, now_ms: i64) {
        let Some(longer) = self.runs.get(&run).filter(|run| run.attempt() == 0) else { return };
        let total = longer.total_steps;
        let bases = self.relatives(longer).flat_map(|shorter| {
            let before_end = shorter.committed().filter(move |(step, _)| *step < total);
            before_end
                .map(move |(step, checkpoint)| (step, std::cmp::Reverse(shorter.id), checkpoint.clone()))
        });
        let Some((step, std::cmp::Reverse(shorter), checkpoint)) =
            bases.max_by_key(|(step, shorter, _)| (*step, *shorter))
        else {
            return;
        };
        if self.touch(&checkpoint.sha256, Some(checkpoint.bytes), now_ms).is_none() {
            return;
        }
        let Some(shorter) = self.runs.get(&shorter).cloned() else { return };
        if let Some(longer) = self.runs.get_mut(&run) {
            longer.go_on_from(&shorter, step, checkpoint, now_ms);
        }
    }
}

impl state::Attempt {
    fn is_of(&self, claim: &Claim) -> bool {
        self.claim == claim.id && self.worker == claim.worker
    }
}

impl Run {
    fn candidate(&self) -> Candidate {
        let shape_key = if self.alone { format!("run {}", self.id) } else { self.planned.shape_key.clone() };
        Candidate { run: self.id.into(), sweep: self.sweep.into(), shape_key }
    }

    /// Makes what a shorter run had come to at a checkpoint this run's first attempt. At the shorter run's end there is also
    /// what is due at an end alone, which this run would not have.
    fn go_on_from(&mut self, shorter: &Run, step: u64, checkpoint: state::Checkpoint, now_ms: i64) {
        let is_end = step >= shorter.total_steps;
        let config = self.configuration.training_config();
        let mut points = 0;
        for (name, metric) in &shorter.metrics {
            let is_left_out = is_end && !config.reports_midway(name, step);
            let before = metric.points.range(..=step).filter(|(at, _)| **at < step || !is_left_out);
            let before =
                before.map(|(&step, &(value, _))| crate::store::Point { name: name.clone(), step, value });
            let before: Vec<_> = before.collect();
            points += before.len() as u64;
            self.add_points(1, &before);
        }
        let artifacts = shorter.artifacts.iter().filter(|((at, _), _)| *at < step || *at == step && !is_end);
        let artifacts = artifacts.map(|(place, artifact)| {
            (place.clone(), state::Artifact { attempt: 1, added_ms: now_ms, ..artifact.clone() })
        });
        self.artifacts = artifacts.collect();
        let written_by =
            (checkpoint.attempt as usize).checked_sub(1).and_then(|place| shorter.attempts.get(place));
        let Some(written_by) = written_by else { return };
        self.checkpoints.insert(step, state::Checkpoint { attempt: 1, committed_ms: now_ms, ..checkpoint });
        self.attempts.push(state::Attempt {
            token: written_by.token,
            worker: written_by.worker.clone(),
            claim: String::new(),
            group: 0,
            joined: None,
            started_ms: now_ms,
            ended_ms: Some(now_ms),
            outcome: Some("released"),
            message: Some(format!(
                "taken over from run {} of this sweep, at its step {step}",
                shorter.number
            )),
            acked_seq: points,
            replay_mismatches: 0,
            machine_fault: false,
        });
    }
}
