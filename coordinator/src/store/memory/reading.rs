//! What people read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use acai_sweep::explain::{Ahead, Situation, WorkerSituation};
use acai_sweep::results::{RunResult, Summary};
use acai_sweep::run::RunState;

use super::state::{Attempt, Run, State, Sweep, Worker};
use crate::store::rules::is_heard_of;
use crate::store::{
    Artifact, ArtifactPlace, ArtifactRecord, AttemptRecord, Bearer, Checkpoint, CurveRun, Demand, Duty,
    Explanation, Overview, PointOfRun, RunDetails, RunId, RunRecord, StoredCheckpoint, StoredFile, SweepId,
    SweepRecord, Weight,
};

/// How many of a run's last events are told with an explanation, and how many workers.
const EVENTS: usize = 20;
const WORKERS: usize = 100;

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

/// Sweeps.
impl State {
    /// Every sweep with its progress, newest first.
    pub(super) fn sweep_list(&self) -> Vec<Overview> {
        let mut sweeps: Vec<_> = self.sweeps.iter().collect();
        sweeps.sort_by_key(|(id, sweep)| Reverse((sweep.submitted_ms, **id)));
        sweeps.into_iter().map(|(&id, sweep)| self.overview(id, sweep)).collect()
    }

    pub(super) fn sweep_fetch(&self, name: &str) -> Option<SweepRecord> {
        let id = self.sweep_id(name)?;
        Some(SweepRecord { overview: self.overview(id, self.sweeps.get(&id)?), file: self.sweep_file(name)? })
    }

    pub(super) fn sweep_file(&self, name: &str) -> Option<StoredFile> {
        let file = &self.sweeps.get(&self.sweep_id(name)?)?.file;
        Some(StoredFile { source: file.source.clone(), report: Some(file.report.clone()) })
    }

    fn overview(&self, id: SweepId, sweep: &Sweep) -> Overview {
        let plan = self.plan(id);
        let mut counts = BTreeMap::<RunState, u32>::new();
        for run in &plan {
            *counts.entry(run.state).or_default() += 1;
        }
        let leaving = self.runs_of(id).filter(|run| !run.in_plan && run.state == RunState::Running).count();
        let images = |steps: fn(&Run) -> u64| {
            plan.iter()
                .map(|run| steps(run).saturating_mul(run.planned.batch.into()))
                .fold(0, u64::saturating_add)
        };
        let queued: BTreeSet<&str> = plan
            .iter()
            .filter(|run| run.state == RunState::Queued)
            .map(|run| run.planned.dataset.as_str())
            .collect();
        Overview {
            name: sweep.file.name.clone(),
            description: sweep.file.description.clone(),
            tags: sweep.file.tags.clone(),
            priority: sweep.file.priority,
            max_concurrent: sweep.file.max_concurrent,
            submitted_ms: sweep.submitted_ms,
            submitter: sweep.file.submitter.as_ref().map(|who| Bearer {
                token: who.token.clone(),
                name: self.tokens.get(&who.token).map(|token| token.name.clone()).unwrap_or_default(),
            }),
            paused: sweep.paused.clone(),
            last_event: sweep.last_event,
            replay_mismatches: self
                .runs_of(id)
                .flat_map(|run| &run.attempts)
                .map(|attempt| attempt.replay_mismatches)
                .sum(),
            counts: counts.into_iter().collect(),
            leaving: count(leaving),
            images_done: images(|run| run.step),
            images_total: images(|run| run.total_steps),
            queued_datasets: queued.into_iter().map(str::to_owned).collect(),
        }
    }

    /// What a sweep has, in its plan and set aside.
    pub(super) fn weigh(&self, name: &str) -> Option<Weight> {
        let runs: Vec<&Run> = self.runs_of(self.sweep_id(name)?).collect();
        let checkpoints = runs.iter().flat_map(|run| run.checkpoints.values().map(|stored| stored.bytes));
        let artifacts = runs.iter().flat_map(|run| run.artifacts.values().map(|stored| stored.bytes));
        Some(Weight {
            runs: count(runs.len()),
            running: count(runs.iter().filter(|run| run.state == RunState::Running).count()),
            points: runs
                .iter()
                .flat_map(|run| run.metrics.values())
                .map(|metric| metric.points.len() as u64)
                .sum(),
            checkpoints: checkpoints.clone().count() as u64,
            artifacts: artifacts.clone().count() as u64,
            bytes: checkpoints.chain(artifacts).sum(),
        })
    }

    /// How much there is to do.
    pub(super) fn demand(&self) -> Demand {
        let mut demand = Demand::default();
        for (&id, sweep) in &self.sweeps {
            let plan = self.plan(id);
            for run in &plan {
                *demand.runs.entry(run.state).or_default() += 1;
            }
            let running = self.runs_of(id).filter(|run| run.state == RunState::Running).count();
            let limit =
                sweep.file.max_concurrent.map_or(usize::MAX, |most| (most as usize).saturating_sub(running));
            let queued = plan.iter().filter(|run| run.state == RunState::Queued && sweep.paused.is_none());
            let waiting: Vec<&&Run> = queued.collect();
            let mut datasets: Vec<&str> = waiting.iter().map(|run| run.planned.dataset.as_str()).collect();
            datasets.sort_unstable();
            for dataset in datasets.into_iter().take(limit) {
                *demand.startable.entry(dataset.to_owned()).or_default() += 1;
            }
            let first = waiting.first().map(|run| run.queued_ms);
            demand.waiting_since_ms = [demand.waiting_since_ms, first].into_iter().flatten().min();
        }
        demand
    }
}

/// Runs.
impl State {
    pub(super) fn record(&self, run: &Run) -> RunRecord {
        RunRecord {
            id: run.id,
            number: run.number,
            place: run.place,
            seed: run.seed,
            configuration: run.configuration.clone(),
            state: run.state,
            attempt: run.attempt(),
            step: run.step,
            total_steps: run.total_steps,
            worker: self.worker_name(run),
            failures: run.failures,
            losses: run.losses,
            desired: run.desired,
            message: run.message.clone(),
        }
    }

    /// The runs in a sweep's plan; none if there is no such sweep.
    fn plan_of(&self, sweep: &str) -> Vec<&Run> {
        self.sweep_id(sweep).map(|id| self.plan(id)).unwrap_or_default()
    }

    /// All runs that a sweep has ever had, in the order of their numbers.
    fn all_of(&self, sweep: &str) -> Vec<&Run> {
        self.sweep_id(sweep).map(|id| self.runs_of(id).collect()).unwrap_or_default()
    }

    pub(super) fn run_list(&self, sweep: &str, states: &[RunState], from: u32, most: u32) -> Vec<RunRecord> {
        let runs = self.plan_of(sweep).into_iter().filter(|run| run.place >= from);
        self.page(runs, states, most)
    }

    pub(super) fn set_aside_list(
        &self,
        sweep: &str,
        states: &[RunState],
        from: u32,
        most: u32,
    ) -> Vec<RunRecord> {
        let runs = self.all_of(sweep).into_iter().filter(|run| !run.in_plan && run.number >= from);
        self.page(runs, states, most)
    }

    fn page<'r>(
        &self,
        runs: impl Iterator<Item = &'r Run>,
        states: &[RunState],
        most: u32,
    ) -> Vec<RunRecord> {
        let runs = runs.filter(|run| states.is_empty() || states.contains(&run.state));
        runs.take(most as usize).map(|run| self.record(run)).collect()
    }

    pub(super) fn failure_list(&self, sweep: &str, most: u32) -> Vec<RunRecord> {
        let is_in_trouble = |run: &&Run| match run.state {
            RunState::Diverged | RunState::Failed | RunState::Lost => true,
            RunState::Queued | RunState::Running => run.failures > 0,
            _ => false,
        };
        self.page(self.plan_of(sweep).into_iter().filter(is_in_trouble), &[], most)
    }

    /// Run `number` of the sweep.
    fn run_of(&self, sweep: &str, number: u32) -> Option<&Run> {
        self.all_of(sweep).into_iter().find(|run| run.number == number)
    }

    pub(super) fn run_details(&self, sweep: &str, number: u32) -> Option<RunDetails> {
        let run = self.run_of(sweep, number)?;
        let attempts = (1..).zip(&run.attempts).map(|(number, attempt)| {
            let worker = self.workers.get(&attempt.worker).map(|worker| &worker.registration);
            let points = run.metrics.values().flat_map(|metric| &metric.points);
            let steps = points.filter(|(_, (_, of))| *of == number).map(|(&step, _)| step);
            AttemptRecord {
                number,
                worker: worker.map(|worker| worker.name.clone()).unwrap_or_default(),
                version: worker.map(|worker| worker.version.clone()).unwrap_or_default(),
                hardware: worker.map(|worker| worker.hardware.clone()).unwrap_or_default(),
                started_ms: attempt.started_ms,
                ended_ms: attempt.ended_ms,
                outcome: attempt.outcome.map(str::to_owned),
                message: attempt.message.clone(),
                replay_mismatches: attempt.replay_mismatches,
                step: steps.max(),
            }
        });
        let checkpoints = run.checkpoints.iter().rev().map(|(&step, stored)| StoredCheckpoint {
            checkpoint: Checkpoint { step, sha256: stored.sha256.clone(), bytes: stored.bytes },
            attempt: stored.attempt,
            committed_ms: stored.committed_ms,
            rejected: stored.rejected.clone(),
        });
        Some(RunDetails {
            run: self.record(run),
            set_aside: !run.in_plan,
            attempts: attempts.collect(),
            summaries: run.metrics.iter().map(|(name, metric)| (name.clone(), metric.summary())).collect(),
            checkpoints: checkpoints.collect(),
        })
    }

    pub(super) fn run_name(&self, run: RunId) -> Option<String> {
        let run = self.runs.get(&run)?;
        Some(format!("{}/{}", self.sweeps.get(&run.sweep)?.file.name, run.number))
    }

    pub(super) fn run_numbers(&self, sweep: &str, numbers: &[u32]) -> Vec<u32> {
        let known = self.all_of(sweep).into_iter().map(|run| run.number);
        known.filter(|number| numbers.contains(number)).collect()
    }

    pub(super) fn artifact_list(
        &self,
        sweep: &str,
        numbers: &[u32],
        after: Option<&ArtifactPlace>,
        most: u32,
    ) -> Vec<ArtifactRecord> {
        let runs = self.all_of(sweep).into_iter().filter(|run| is_asked_for(run, numbers));
        let records = runs.flat_map(|run| {
            run.artifacts.iter().map(|((step, name), stored)| ArtifactRecord {
                number: run.number,
                artifact: Artifact {
                    name: name.clone(),
                    step: *step,
                    sha256: stored.sha256.clone(),
                    bytes: stored.bytes,
                },
                attempt: stored.attempt,
                added_ms: stored.added_ms,
            })
        });
        let place = |place: &ArtifactPlace| (place.number, place.step, place.name.clone());
        let later = records.filter(|record| after.is_none_or(|after| place(&record.place()) > place(after)));
        later.take(most as usize).collect()
    }
}

/// Whether a run is among those of these numbers, or if there are none among those of the plan.
fn is_asked_for(run: &Run, numbers: &[u32]) -> bool {
    numbers.contains(&run.number) || numbers.is_empty() && run.in_plan
}

/// Points.
impl State {
    pub(super) fn curve_runs(
        &self,
        sweep: &str,
        numbers: &[u32],
        metric: &str,
        (from, most): (u32, u32),
    ) -> Vec<CurveRun> {
        let runs =
            self.all_of(sweep).into_iter().filter(|run| run.number >= from && is_asked_for(run, numbers));
        let curve = |run: &Run| {
            let metric = run.metrics.get(metric);
            CurveRun {
                id: run.id,
                number: run.number,
                seed: run.seed,
                state: run.state,
                points: metric.map_or(0, |metric| metric.points.len() as u64),
                last: metric.and_then(super::metrics::Metric::last),
            }
        };
        runs.take(most as usize).map(curve).collect()
    }

    pub(super) fn point_list(&self, runs: &[(RunId, u64)], metric: &str, most: usize) -> Vec<PointOfRun> {
        let points = runs.iter().flat_map(|&(run, from_step)| {
            let metric = self.runs.get(&run).and_then(|of| of.metrics.get(metric));
            let points = metric.into_iter().flat_map(move |metric| metric.points.range(from_step..));
            points.map(move |(&step, &(value, _))| PointOfRun { run, step, value })
        });
        points.take(most).collect()
    }

    pub(super) fn metric_list(&self, sweep: &str) -> Vec<String> {
        let names: BTreeSet<&String> =
            self.plan_of(sweep).into_iter().flat_map(|run| run.metrics.keys()).collect();
        names.into_iter().cloned().collect()
    }

    /// The runs of the plan with what `values` says of each.
    fn results(&self, sweep: &str, values: impl Fn(&Run) -> BTreeMap<String, Summary>) -> Vec<RunResult> {
        let result = |run: &Run| RunResult {
            number: run.number,
            configuration: run.configuration.clone(),
            seed: run.seed,
            state: run.state,
            summaries: values(run),
        };
        self.plan_of(sweep).into_iter().map(result).collect()
    }

    pub(super) fn result_list(&self, sweep: &str) -> Vec<RunResult> {
        self.results(sweep, |run| match run.state {
            RunState::Completed => {
                run.metrics.iter().map(|(name, metric)| (name.clone(), metric.summary())).collect()
            }
            _ => BTreeMap::new(),
        })
    }

    pub(super) fn result_list_at_end(&self, sweep: &str) -> Vec<RunResult> {
        self.results(sweep, |run| {
            run.values(|metric| {
                metric.last().filter(|last| last.step == run.total_steps).map(|last| last.value)
            })
        })
    }

    pub(super) fn result_list_at_step(&self, sweep: &str, step: u64) -> Vec<RunResult> {
        self.results(sweep, |run| {
            run.values(|metric| metric.points.range(..=step).next_back().map(|(_, (value, _))| *value))
        })
    }

    pub(super) fn result_list_at_best(&self, sweep: &str, metrics: &[(String, i8)]) -> Vec<RunResult> {
        self.results(sweep, |run| {
            let preferred = metrics.iter().find_map(|(name, sign)| Some((run.metrics.get(name)?, sign)));
            let Some((metric, sign)) = preferred else { return BTreeMap::new() };
            let Summary { min, max, .. } = metric.summary();
            let best = if *sign > 0 { min } else { max };
            let at = metric.points.iter().find(|(_, (value, _))| *value == best).map(|(&step, _)| step);
            run.values(|metric| metric.points.get(&at?).map(|(value, _)| *value))
        })
    }
}

impl Run {
    /// The values of those metrics that have one.
    fn values(&self, value: impl Fn(&super::metrics::Metric) -> Option<f64>) -> BTreeMap<String, Summary> {
        let of = |(name, metric): (&String, _)| {
            let value = value(metric)?;
            Some((name.clone(), Summary { last: value, min: value, max: value, mean: value }))
        };
        self.metrics.iter().filter_map(of).collect()
    }
}

/// What decides whether a run is trained.
impl State {
    pub(super) fn explain(
        &self,
        sweep: &str,
        number: u32,
        now_ms: i64,
        silent_ms: i64,
    ) -> Option<Explanation> {
        let run = self.run_of(sweep, number)?;
        let of = self.sweeps.get(&run.sweep)?;
        let running = self.runs_of(run.sweep).filter(|run| run.state == RunState::Running).count();
        let events = of.events.iter().filter(|event| event.run == run.id).cloned();
        let events: Vec<_> = events.collect();
        Some(Explanation {
            run: Some(self.record(run)),
            situation: Situation {
                state: run.state,
                set_aside: !run.in_plan,
                desired: run.desired,
                worker: self.worker_name(run),
                message: run.message.clone(),
                failures: run.failures,
                max_restarts: of.file.max_restarts,
                sweep_paused: of.paused.clone(),
                max_concurrent: of.file.max_concurrent,
                running: count(running),
                ahead: self.ahead(run, of.file.priority),
                dataset: run.planned.dataset.clone(),
                unreadable: None,
            },
            workers: self.worker_situations(run, now_ms, silent_ms),
            events: events[events.len().saturating_sub(EVENTS)..].to_vec(),
        })
    }

    /// How many queued runs are granted before this one, by sweep.
    fn ahead(&self, run: &Run, priority: i64) -> Vec<Ahead> {
        let place = (Reverse(priority), run.sweep);
        let turn = |(id, sweep): (&SweepId, &Sweep)| (Reverse(sweep.file.priority), *id);
        let mut sweeps: Vec<_> = self.sweeps.iter().filter(|(_, sweep)| sweep.paused.is_none()).collect();
        sweeps.sort_by_key(|&of| turn(of));
        let ahead = sweeps.into_iter().filter(|&of| turn(of) <= place).map(|(&id, sweep)| {
            let is_ahead = |other: &&&Run| {
                other.state == RunState::Queued && (id != run.sweep || other.place < run.place)
            };
            Ahead {
                sweep: sweep.file.name.clone(),
                priority: sweep.file.priority,
                runs: self.plan(id).iter().filter(is_ahead).count() as u64,
            }
        });
        ahead.filter(|ahead| ahead.runs > 0).collect()
    }

    fn worker_situations(&self, run: &Run, now_ms: i64, silent_ms: i64) -> Vec<(String, WorkerSituation)> {
        let mut workers: Vec<(&String, &Worker)> = self.workers.iter().collect();
        workers.sort_by_key(|(id, worker)| (Reverse(worker.last_seen_ms), *id));
        let situation = |(id, worker): (&String, &Worker)| {
            let name = worker.registration.name.clone();
            let could_not = self.could_not(run, &name, now_ms);
            let situation = WorkerSituation {
                alive: is_heard_of(worker.last_seen_ms, now_ms, silent_ms) && !worker.ended,
                cordoned: self.duty(&name) != Duty::Open,
                datasets: worker.registration.datasets.clone(),
                slots: worker.registration.slots,
                running: count(self.groups_of(id)),
                resting: worker.rest.as_ref().map_or(0, |rest| rest.slots),
                resting_because: worker.rest.as_ref().map(|rest| rest.reason.clone()),
                could_not: could_not.and_then(|attempt| attempt.message.clone()),
            };
            (name, situation)
        };
        workers.into_iter().take(WORKERS).map(situation).collect()
    }

    /// How many groups the worker trains.
    fn groups_of(&self, worker: &str) -> usize {
        let held = self.runs.values().filter(|run| run.state == RunState::Running);
        let held = held.filter(|run| run.worker.as_deref() == Some(worker));
        let group = |last: &Attempt| {
            let of_claim = || format!("{}/{}", last.claim, last.group);
            last.joined.clone().unwrap_or_else(of_claim)
        };
        let groups: BTreeSet<String> = held.filter_map(|run| run.attempts.last()).map(group).collect();
        groups.len()
    }
}
