//! The promises of docs/reliability.md, asked of the database, the checkpoints and the agents' folders.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acai_coordinator::store::{RunDetails, Store};
use acai_sweep::run::RunState;
use tokio::runtime::{Builder, Runtime};

use crate::journal::Journal;
use crate::people::SWEEP;
use crate::plan::{AGENTS, Plan, What, Wish};
use crate::releases::Release;
use crate::system::disk::Trouble;
use crate::trainer::Temper;
use crate::trainer::model::{LOSS, Model, SCORE};
use crate::weather::Weather;

/// Machines in a row that cannot train a run before it is given up.
const MACHINES: usize = 3;
/// Times that an agent does anything within a minute, at the most: it may do so for each of its runs once in a second.
const MOST_CALLS: u64 = 400;

/// Whoever checks.
pub(crate) struct Check {
    plan: Plan,
    weather: Arc<Weather>,
    journal: Journal,
    runtime: Option<Runtime>,
    /// Numbers of runs that were seen to be completed in this store.
    completed: BTreeSet<u32>,
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
        points.into_iter().map(|point| (point.step, point.value)).collect()
    }

    /// What must be so at every moment.
    pub(crate) fn all_along(&mut self) {
        // What was completed after a backup was made is not, once that is put back.
        if self.rewrites != self.weather.rewrites() {
            (self.rewrites, self.completed) = (self.weather.rewrites(), BTreeSet::new());
        }
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
            let safe = details.checkpoints.first().map_or(0, |newest| newest.checkpoint.step);
            for metric in [LOSS, SCORE] {
                self.points(&details, metric, &model, safe);
            }
            let rejected = details.checkpoints.iter().find_map(|stored| stored.rejected.as_ref());
            if let Some(rejected) = rejected.filter(|_| !self.journal.may_miss_checkpoints()) {
                self.says(&details, &format!("a whole checkpoint was taken out of use: {rejected}"));
            }
            for stored in details.checkpoints.iter().filter(|_| !self.journal.may_miss_checkpoints()) {
                self.blob(&details, &model, stored.checkpoint.step, &stored.checkpoint.sha256);
            }
            for attempt in details.attempts.iter().filter(|attempt| attempt.replay_mismatches > 0) {
                self.says(
                    &details,
                    &format!("attempt {} reported other points than those before", attempt.number),
                );
            }
        }
    }

    /// Each point is the reference's, and before a checkpoint there is none missing.
    fn points(&self, details: &RunDetails, metric: &str, model: &Model, safe: u64) {
        let (curve, due) = (self.curve(details, metric), model.curve(metric, model.total));
        if let Some(point) = curve.iter().find(|point| !due.contains(point)) {
            self.says(details, &format!("{metric} has a point {point:?} that the reference has not"));
        }
        if curve.windows(2).any(|two| two[0].0 >= two[1].0) {
            self.says(details, &format!("{metric} has a step twice"));
        }
        let until = if details.run.state == RunState::Completed { model.total } else { safe };
        if let Some(point) = due.iter().find(|point| point.0 <= until && !curve.contains(point)) {
            self.says(
                details,
                &format!("{metric} lacks the point {point:?} although {until} steps are safe"),
            );
        }
    }

    fn blob(&self, details: &RunDetails, model: &Model, step: u64, sha256: &str) {
        let store = self.weather.store();
        let asked = store.blob_find(sha256);
        let found = self.runtime.as_ref().and_then(|runtime| runtime.block_on(asked).ok()).flatten();
        let Some((file, _)) = found else {
            return self.says(details, &format!("the blob of the checkpoint at {step} is unknown"));
        };
        let shard = &sha256[..2];
        let path = PathBuf::from(format!("{}/{shard}/{sha256}-{}", self.plan.depot(), file.tag));
        if fs::read_to_string(&path).ok() != Some(model.checkpoint(step, model.weights(step))) {
            self.says(details, &format!("the bytes of the checkpoint at {step} are not there, or others"));
        }
    }

    /// What must be so when faults have stopped and all runs have ended.
    pub(crate) fn in_the_end(&mut self) {
        for details in self.runs() {
            self.end(&details);
        }
        self.quiet();
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

    /// Nobody calls without a pause.
    fn quiet(&self) {
        for ((who, what), count) in self.journal.all_counts() {
            tracing::info!(target: "simulation", "{who} {what}: {} in all, {} a minute at most", count.total, count.most);
            let agents = if who == "store" { self.plan.agents as u64 } else { 1 };
            if count.most > MOST_CALLS * agents {
                self.journal.violates(format!("{who}: {} times {what} within a minute", count.most));
            }
        }
    }

    fn end(&self, details: &RunDetails) {
        let suffered = self.journal.suffered(details.run.id.into());
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
        // A disk that fails costs machines and uploads, and no point.
        let is_broken = self.plan.has(|what| matches!(what, What::Disk { .. }));
        match details.run.state {
            RunState::Completed => {
                let model = Model::new(&details.run.configuration.training_config(), details.run.seed);
                let last = details.checkpoints.first().map_or(0, |newest| newest.checkpoint.step);
                if last != model.total && !is_broken {
                    self.says(
                        details,
                        &format!("it is completed, and its last checkpoint is of step {last}"),
                    );
                }
            }
            RunState::Failed if charged > self.plan.max_restarts as usize => {}
            RunState::Lost if machines >= MACHINES || is_broken => {}
            RunState::Cancelled if self.plan.has(|what| matches!(what, What::Person(Wish::Cancel(_)))) => {}
            // What is forgotten is cancelled first, and is that again when it comes back from a backup.
            RunState::Cancelled
                if self.plan.has(|what| matches!(what, What::Person(Wish::Forget)))
                    && self
                        .plan
                        .has(|what| matches!(what, What::Restored { .. } | What::Replaced { .. })) => {}
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
