//! The promises of docs/reliability.md, asked of the database, the checkpoints and the agents' folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use acai_coordinator::store::{
    Artifact, AttemptRecord, RunDetails, RunId, RunRecord, Store, StoredCheckpoint,
};
use acai_promises::{Checkpoint, Point, Stored};
use acai_sweep::run::{Desired, RunState};
use tokio::runtime::{Builder, Runtime};

use crate::journal::{Attempt, Journal};
use crate::people::SWEEP;
use crate::plan::{AGENTS, Plan, What, Wish};
use crate::quiet;
use crate::releases::Release;
use crate::system::disk::Trouble;
use crate::trainer::Temper;
use crate::trainer::model::{LOSS, Model, PICTURE, SCORE, picture};
use crate::weather::Weather;

/// Machines in a row that cannot train a run before it is given up.
const MACHINES: usize = 3;
/// Attempts of one run at the most.
const MOST_ATTEMPTS: usize = 200;

/// Whoever checks.
pub(crate) struct Check {
    plan: Plan,
    weather: Arc<Weather>,
    journal: Journal,
    runtime: Option<Runtime>,
    /// Numbers of runs that were seen to be completed in this store.
    completed: BTreeSet<u32>,
    /// The runs that were cancelled in this store when it came, or were to be.
    cancelled: BTreeSet<RunId>,
    /// Checkpoints and artifacts, by their SHA-256, whose files were not there any more when an old backup was put back that names
    /// them; and these files.
    gone: BTreeMap<String, String>,
    /// How often the database had been put back or exchanged, or a sweep forgotten, until then.
    rewrites: u32,
}

impl Check {
    pub(crate) fn new(plan: Plan, weather: Arc<Weather>, journal: Journal) -> Check {
        Check {
            plan,
            weather,
            journal,
            runtime: Builder::new_current_thread().build().ok(),
            completed: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            gone: BTreeMap::new(),
            rewrites: 0,
        }
    }

    fn runs(&self) -> Vec<RunDetails> {
        let store = self.weather.store();
        let asked = async {
            let mut runs = Vec::new();
            for run in store.run_list(SWEEP, &[], 0, u32::MAX).await.unwrap_or_default() {
                runs.extend(store.run_details(SWEEP, run.number).await.ok().flatten());
            }
            runs
        };
        self.runtime.as_ref().map(|runtime| runtime.block_on(asked)).unwrap_or_default()
    }

    fn curve(&self, details: &RunDetails, metric: &str) -> Vec<(u64, f64)> {
        let from = [(details.run.id, 0)];
        let store = self.weather.store();
        let asked = store.point_list(&from, metric, usize::MAX);
        let points =
            self.runtime.as_ref().and_then(|runtime| runtime.block_on(asked).ok()).unwrap_or_default();
        let curve: Vec<(u64, f64)> = points.into_iter().map(|point| (point.step, point.value)).collect();
        if !curve.is_sorted_by(|before, after| before.0 < after.0) {
            self.says(details, &format!("the steps of `{metric}` are not in order"));
        }
        curve
    }

    /// Looks at the database once more, if another one was put in its place.
    pub(crate) fn notices_rewrites(&mut self) {
        if self.rewrites == self.weather.rewrites() {
            return;
        }
        // What was completed after a backup was made is not, once that is put back.
        (self.rewrites, self.completed) = (self.weather.rewrites(), BTreeSet::new());
        let runs = self.runs();
        let is_cancelled =
            |run: &RunRecord| run.state == RunState::Cancelled || run.desired == Some(Desired::Cancelled);
        let cancelled = runs.iter().map(|details| &details.run).filter(|run| is_cancelled(run));
        self.cancelled = cancelled.map(|run| run.id).collect();
        if self.weather.is_old_backup() {
            let checkpoints = runs.iter().flat_map(|details| &details.checkpoints);
            let mut named: Vec<String> = checkpoints.map(|stored| stored.checkpoint.sha256.clone()).collect();
            let artifacts = runs.iter().flat_map(|details| self.artifacts(details.run.number));
            named.extend(artifacts.map(|artifact| artifact.sha256));
            for sha256 in named {
                if let Some(file) = self.file(&sha256).filter(|file| !Path::new(file).exists()) {
                    self.gone.insert(sha256, file);
                }
            }
            self.journal.may_miss_files(!self.gone.is_empty());
        }
    }

    /// What must be so at every moment.
    pub(crate) fn all_along(&mut self) {
        self.notices_rewrites();
        let runs = self.runs();
        // Nobody ever says that results may be set aside.
        if let Some(gone) =
            self.completed.iter().find(|number| runs.iter().all(|of| of.run.number != **number))
        {
            self.journal.violates(format!("run {gone} was completed, and is not in the plan any more"));
        }
        for details in runs {
            let model = Model::new(&details.run.configuration.training_config(), details.run.seed);
            if details.run.state == RunState::Completed {
                self.completed.insert(details.run.number);
            } else if self.completed.contains(&details.run.number) {
                self.says(&details, &format!("it was completed, and is {}", details.run.state));
            }
            self.promises(&details, &model);
            let rejected = details.checkpoints.iter().filter(|stored| stored.rejected.is_some());
            for stored in rejected.filter(|stored| !self.may_miss(&stored.checkpoint.sha256)) {
                self.says(
                    &details,
                    &format!("a whole checkpoint was taken out of use: {:?}", stored.rejected),
                );
            }
            self.pictures(&details, &model);
        }
    }

    /// What is stored of the run is what an undisturbed run comes to, as far as this one has come.
    fn promises(&self, details: &RunDetails, model: &Model) {
        let curves: Vec<(String, Vec<(u64, f64)>)> =
            self.metrics().into_iter().map(|metric| (metric.clone(), self.curve(details, &metric))).collect();
        let bits = |metric, (step, value): &(u64, f64)| Point { metric, step: *step, bits: value.to_bits() };
        let points =
            curves.iter().flat_map(|(metric, curve)| curve.iter().map(move |point| bits(metric, point)));
        let in_use = details.checkpoints.iter().filter(|stored| stored.rejected.is_none());
        let stored = Stored {
            claims: details.run.attempt,
            is_completed: details.run.state == RunState::Completed,
            attempts: details.attempts.iter().map(attempt).collect(),
            points: points.collect(),
            checkpoints: in_use.map(|stored| self.checkpoint(stored, model)).collect(),
        };
        let due = [LOSS, SCORE].map(|metric| (metric, model.curve(metric, model.total)));
        let due = due.iter().flat_map(|(metric, curve)| curve.iter().map(move |point| bits(metric, point)));
        for broken in acai_promises::broken(&stored, Some(&due.collect::<Vec<_>>())) {
            self.says(details, &format!("it {}", broken.what));
        }
    }

    /// A checkpoint whose file may be missing counts as whole.
    fn checkpoint<'c>(&self, stored: &'c StoredCheckpoint, model: &Model) -> Checkpoint<'c> {
        let (step, sha256) = (stored.checkpoint.step, &stored.checkpoint.sha256);
        let is_whole = || self.content(sha256) == Some(model.checkpoint(step, model.weights(step)));
        Checkpoint { step, sha256, is_whole: self.may_miss(sha256) || is_whole() }
    }

    /// Whether nothing but a file that was gone already, when an old backup was put back, is kept under this SHA-256.
    fn may_miss(&self, sha256: &str) -> bool {
        self.gone.get(sha256).is_some_and(|gone| self.file(sha256).is_none_or(|file| file == *gone))
    }

    /// The names of all metrics that there are.
    fn metrics(&self) -> Vec<String> {
        let store = self.weather.store();
        let asked = store.metric_list(SWEEP);
        self.runtime.as_ref().and_then(|runtime| runtime.block_on(asked).ok()).unwrap_or_default()
    }

    /// The file that is kept under this SHA-256, if the database knows of one.
    fn file(&self, sha256: &str) -> Option<String> {
        let store = self.weather.store();
        let asked = store.blob_find(sha256);
        let (file, _) = self.runtime.as_ref()?.block_on(asked).ok().flatten()?;
        let shard = &sha256[..2];
        Some(format!("{}/{shard}/{sha256}-{}", self.plan.depot(), file.tag))
    }

    /// What is in that file.
    fn content(&self, sha256: &str) -> Option<String> {
        fs::read_to_string(self.file(sha256)?).ok()
    }

    /// Each picture is as its trainer drew it.
    fn pictures(&self, details: &RunDetails, model: &Model) {
        let drawn =
            self.artifacts(details.run.number).into_iter().filter(|artifact| artifact.name == PICTURE);
        for Artifact { step, sha256, .. } in drawn.filter(|artifact| !self.may_miss(&artifact.sha256)) {
            if self.content(&sha256) != Some(picture(model.weights(step))) {
                self.says(details, &format!("its picture at {step} is not as its trainer drew it"));
            }
        }
    }

    fn artifacts(&self, number: u32) -> Vec<Artifact> {
        let (store, numbers) = (self.weather.store(), [number]);
        let asked = store.artifact_list(SWEEP, &numbers, None, u32::MAX);
        let listed = self.runtime.as_ref().and_then(|runtime| runtime.block_on(asked).ok());
        listed.unwrap_or_default().into_iter().map(|record| record.artifact).collect()
    }

    /// What must be so when faults have stopped and all runs have ended.
    pub(crate) fn in_the_end(&mut self) {
        for details in self.runs() {
            self.end(&details);
        }
        quiet::calls(&self.journal, self.plan.agents);
        for agent in &AGENTS[..self.plan.agents] {
            quiet::files(&self.journal, agent);
        }
        for agent in self.journal.unnoticed_copies() {
            self.journal.violates(format!("{agent} works on a copy of another one's folder"));
        }
        for agent in &AGENTS[..self.plan.agents] {
            // A spool that could not be read when its agent started stays until the agent is started again.
            let could_not_be_read = |what: &What| matches!(what, What::Disk { host, trouble: Trouble::Reads, .. } if host == agent);
            if self.plan.has(could_not_be_read) {
                continue;
            }
            let spools = Path::new(agent).join("state/spool");
            let left = fs::read_dir(&spools).map(Iterator::count).unwrap_or_default();
            if left > 0 {
                self.journal.violates(format!("{agent} has {left} spools, although all runs have ended"));
            }
        }
    }

    fn end(&self, details: &RunDetails) {
        if details.attempts.len() > MOST_ATTEMPTS {
            self.says(details, &format!("it had {} attempts", details.attempts.len()));
        }
        let of_attempt = |attempt: &AttemptRecord| Attempt {
            run: details.run.id.into(),
            number: attempt.number,
            host: attempt.worker.clone(),
        };
        let suffered: Vec<(Temper, bool)> =
            details.attempts.iter().flat_map(|attempt| self.journal.suffered(&of_attempt(attempt))).collect();
        // Of what happens to a group nobody is charged, unless the coordinator would grant it again at once.
        let is_first = self.plan.release == Release::First;
        let charged = suffered
            .iter()
            .filter(|(temper, is_alone)| (*is_alone || is_first) && temper.is_charged())
            .count();
        let lacks = |temper: &Temper| {
            matches!(temper, Temper::IsKilled(_) | Temper::LacksMemory(_) | Temper::NeverReady)
        };
        let machines = suffered.iter().filter(|(temper, _)| lacks(temper)).count();
        let is_wish_to_cancel =
            |what: &What| matches!(what, What::Person(Wish::Cancel(run)) if *run == details.run.number);
        // A disk that fails costs machines and uploads, and no point.
        let is_broken = self.plan.has(|what| matches!(what, What::Disk { .. }));
        let takes_nothing = self.plan.has(|what| *what == What::DepotTakesNothing);
        match details.run.state {
            RunState::Completed => {
                let model = Model::new(&details.run.configuration.training_config(), details.run.seed);
                let last = details.checkpoints.first().map_or(0, |newest| newest.checkpoint.step);
                if last != model.total && !is_broken && !takes_nothing {
                    self.says(
                        details,
                        &format!("it is completed, and its last checkpoint is of step {last}"),
                    );
                }
            }
            RunState::Failed if charged > self.plan.max_restarts as usize => {}
            RunState::Lost if machines >= MACHINES || is_broken => {}
            RunState::Cancelled if self.plan.has(is_wish_to_cancel) => {}
            // What is forgotten is cancelled first, and is that again when it comes back from a backup.
            RunState::Cancelled if self.cancelled.contains(&details.run.id) => {}
            state => self.says(
                details,
                &format!(
                    "it is {state} for no reason ({charged} charged, {machines} machines; {:?})",
                    details.run.message
                ),
            ),
        }
    }

    fn says(&self, details: &RunDetails, what: &str) {
        self.journal.violates(format!("run {} ({}): {what}", details.run.number, details.run.id));
    }
}

fn attempt(record: &AttemptRecord) -> acai_promises::Attempt {
    acai_promises::Attempt {
        number: record.number,
        is_completed: record.outcome.as_deref() == Some(RunState::Completed.as_str()),
        replay_mismatches: record.replay_mismatches,
    }
}
