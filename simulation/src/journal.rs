//! What happened, as far as somebody has to account for it in the end. Clones share it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acai_coordinator::LeaseTerms;

use crate::network::COORDINATORS;
use crate::plan::Plan;
use crate::system::elapsed;
use crate::trainer::Temper;

/// How long it is counted how often somebody does something.
const WINDOW: Duration = Duration::from_secs(60);

/// How often what balances load asks coordinators whether they are ready.
const PROBE: Duration = Duration::from_secs(2);

/// See above.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    /// Trainers that were started so far.
    launches: u64,
    /// Which of them go wrong.
    tempers: BTreeMap<u64, Temper>,
    /// The step of each run from which on it breaks whatever trainer it has.
    poison: BTreeMap<u64, u64>,
    /// Whether runs can join what trainers train.
    has_joining_trainers: bool,
    /// Whether trainers may leave their checkpoints unflushed.
    has_careless_trainers: bool,
    coordinators: &'static [&'static str],
    /// The coordinators that cannot reach their database, and since when.
    without_store: BTreeMap<&'static str, Duration>,
    /// Whether an old backup was put back that names files which are deleted.
    may_miss_files: bool,
    /// The trainers of each attempt, and whether its run was alone there.
    suffered: BTreeMap<Attempt, Vec<(Temper, bool)>>,
    /// Slow trainers that were started so far.
    slow: u32,
    violations: Vec<String>,
    counts: BTreeMap<(String, &'static str), Count>,
    /// When something has happened to a host last, and how much of that goes on.
    disturbances: BTreeMap<&'static str, (Duration, i32)>,
    /// The agents that were given a copy of another one's folder; and whether they have refused it.
    copies: BTreeMap<&'static str, bool>,
}

/// An attempt, as its trainer knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    pub(crate) run: u64,
    pub(crate) number: u32,
    pub(crate) host: String,
}

/// How often something happened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    window: u64,
    in_window: u64,
    /// The most that happened in one window.
    pub(crate) most: u64,
    pub(crate) total: u64,
}

impl Journal {
    pub(crate) fn new(plan: &Plan) -> Journal {
        let (tempers, poison) = (plan.tempers(), plan.poison());
        let (has_joining_trainers, coordinators) = (plan.has_joining_trainers(), plan.coordinators());
        let has_careless_trainers = plan.has_careless_trainers();
        let notes = Notes {
            tempers,
            poison,
            has_joining_trainers,
            has_careless_trainers,
            coordinators,
            ..Notes::default()
        };
        Journal(Arc::new(Mutex::new(notes)))
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A trainer is started: which one that is, and how it behaves.
    pub(crate) fn launches(&self) -> (u64, Temper) {
        let mut notes = self.notes();
        notes.launches += 1;
        let temper = notes.tempers.get(&notes.launches).copied().unwrap_or(Temper::Good);
        notes.slow += u32::from(temper == Temper::IsSlow);
        (notes.launches, temper)
    }

    /// Whether a run breaks its trainer at this step.
    pub(crate) fn is_poison(&self, run: u64, step: u64) -> bool {
        self.notes().poison.get(&run).is_some_and(|from| step >= *from)
    }

    pub(crate) fn has_joining_trainers(&self) -> bool {
        self.notes().has_joining_trainers
    }

    pub(crate) fn has_careless_trainers(&self) -> bool {
        self.notes().has_careless_trainers
    }

    /// The hosts of the coordinators that there are.
    pub(crate) fn coordinators(&self) -> &'static [&'static str] {
        self.notes().coordinators
    }

    /// An old backup was put back, which names files that are deleted, or none that is.
    pub(crate) fn may_miss_files(&self, may: bool) {
        self.notes().may_miss_files = may;
    }

    /// Whether any file may be missing.
    pub(crate) fn may_miss_any(&self) -> bool {
        self.notes().may_miss_files
    }

    /// A coordinator cannot reach its database from now on, or can again.
    pub(crate) fn loses_store(&self, coordinator: &'static str, loses: bool) {
        let mut notes = self.notes();
        match loses {
            true => notes.without_store.insert(coordinator, elapsed()),
            false => notes.without_store.remove(coordinator),
        };
    }

    /// The coordinators to which connections come: those that say that they are healthy, or all if none does.
    pub(crate) fn balanced(&self) -> Vec<&'static str> {
        let notes = self.notes();
        let noticed = LeaseTerms::default().readiness() + PROBE;
        let is_healthy = |host: &&&'static str| {
            notes.without_store.get(**host).is_none_or(|since| elapsed() < *since + noticed)
        };
        let healthy: Vec<_> = notes.coordinators.iter().filter(is_healthy).copied().collect();
        if healthy.is_empty() { notes.coordinators.to_vec() } else { healthy }
    }

    /// A trainer is given these runs.
    pub(crate) fn trains(&self, temper: Temper, runs: &[Attempt]) {
        let (mut notes, is_alone) = (self.notes(), runs.len() == 1);
        for run in runs {
            notes.suffered.entry(run.clone()).or_default().push((temper, is_alone));
        }
    }

    /// What the trainers of an attempt were like, and whether its run was alone there.
    pub(crate) fn suffered(&self, attempt: &Attempt) -> Vec<(Temper, bool)> {
        self.notes().suffered.get(attempt).cloned().unwrap_or_default()
    }

    /// How many slow trainers were started so far.
    pub(crate) fn slow_trainers(&self) -> u32 {
        self.notes().slow
    }

    /// A trainer does not go on from a checkpoint, although none is ever damaged.
    pub(crate) fn refuses(&self, run: u64) {
        self.violates(format!("the trainer of run {run} was given a checkpoint that is not the run's"));
    }

    /// A promise is broken.
    pub(crate) fn violates(&self, what: String) {
        tracing::error!(target: "simulation", "VIOLATION: {what}");
        self.notes().violations.push(what);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.notes().violations.clone()
    }

    /// Something begins to happen to a host, ends, or happens at once: as `goes_on` is 1, -1 or 0.
    pub(crate) fn disturbs(&self, host: &'static str, goes_on: i32) {
        let mut notes = self.notes();
        let disturbance = notes.disturbances.entry(host).or_default();
        *disturbance = (elapsed(), disturbance.1 + goes_on);
    }

    /// Whether for so long nothing has happened to an agent, nor to a coordinator.
    pub(crate) fn is_undisturbed(&self, agent: &str, for_long: Duration) -> bool {
        let notes = self.notes();
        COORDINATORS.into_iter().chain([agent]).all(|host| {
            let disturbance = notes.disturbances.get(host).copied();
            disturbance.is_none_or(|(last, going_on)| going_on == 0 && elapsed() > last + for_long)
        })
    }

    /// An agent is given a copy of another one's folder.
    pub(crate) fn copies_folder(&self, agent: &'static str) {
        self.notes().copies.insert(agent, false);
    }

    /// An agent takes its folder for a copy, and ends.
    pub(crate) fn is_refused_a_copy(&self, agent: &'static str) {
        let was_refused = self.notes().copies.insert(agent, true);
        match was_refused {
            Some(false) => {}
            Some(true) => self.violates(format!("{agent} did not adopt a copy, although a person said so")),
            None => self.violates(format!("{agent} took its own folder for a copy")),
        }
    }

    /// Whether an agent has refused the copy that it was given.
    pub(crate) fn was_refused_a_copy(&self, agent: &'static str) -> bool {
        self.notes().copies.get(agent).copied().unwrap_or_default()
    }

    /// The agents that work on a copy that they have not refused.
    pub(crate) fn unnoticed_copies(&self) -> Vec<&'static str> {
        self.notes()
            .copies
            .iter()
            .filter(|(_, was_refused)| !**was_refused)
            .map(|(agent, _)| *agent)
            .collect()
    }

    /// Somebody does something of which there may not be too much.
    pub(crate) fn counts(&self, who: &str, what: &'static str) {
        let window = elapsed().as_secs() / WINDOW.as_secs();
        let mut notes = self.notes();
        let count = notes.counts.entry((who.to_owned(), what)).or_default();
        if count.window != window {
            (count.window, count.in_window) = (window, 0);
        }
        count.in_window += 1;
        count.total += 1;
        count.most = count.most.max(count.in_window);
    }

    pub(crate) fn all_counts(&self) -> BTreeMap<(String, &'static str), Count> {
        self.notes().counts.clone()
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journal")
    }
}
