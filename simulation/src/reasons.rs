//! Why runs wait: what people are told of it, held against what is to be read of runs, sweeps and workers, against what the database
//! has answered before, and against what workers are given when they ask for runs.

use std::collections::BTreeSet;
use std::time::Duration;

use acai_coordinator::store::memory::MemoryStore;
use acai_coordinator::store::{
    Claim, Duty, Explanation, Grant, Overview, Result, RunRecord, Store, WorkerRecord,
};
use acai_sweep::explain;
use acai_sweep::run::RunState;

use crate::ledger::Ledger;

/// A worker that was silent for so long counts as gone: the term of a lease.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);
/// Clocks are read in milliseconds, and at other moments than here.
const MARGIN: Duration = Duration::from_secs(1);
/// How long a machine that could not train a run is not given that.
const ELSEWHERE: Duration = Duration::from_secs(60);

/// How what keeps a worker from a run begins, as people are told.
const CORDONED: &str = "it is cordoned";
const NO_DATASET: &str = "it does not have the dataset";
const COULD_NOT: &str = "it could not train this run a moment ago";
/// How what keeps a run from every worker begins.
const HELD_UP: [&str; 3] =
    ["its sweep's file no longer asks for it", "its sweep is paused", "max_concurrent: "];

/// A run that waits, and what people are told of that.
pub(crate) struct Told {
    sweep: String,
    run: RunRecord,
    /// What keeps it from every worker.
    reasons: Vec<String>,
    /// By the names of workers, what keeps the run from each.
    workers: Vec<(String, Option<String>)>,
}

impl Told {
    fn of(sweep: &str, explanation: Explanation) -> Option<Told> {
        let Explanation { run, situation, workers, .. } = explanation;
        let worker = |(name, of)| (name, explain::worker(&situation, &of));
        Some(Told {
            sweep: sweep.to_owned(),
            run: run.filter(|run| run.state == RunState::Queued)?,
            reasons: explain::run(&situation),
            workers: workers.into_iter().map(worker).collect(),
        })
    }

    /// What keeps it from being granted to this machine, whatever the machine has to do just now.
    fn barrier(&self, machine: &str) -> Option<&str> {
        let of_machine =
            self.workers.iter().filter(|(name, _)| name == machine).filter_map(|(_, why)| why.as_deref());
        let is_barrier =
            |why: &&str| [CORDONED, NO_DATASET, COULD_NOT].iter().any(|words| why.starts_with(words));
        let is_held_up = |why: &&str| HELD_UP.iter().any(|words| why.starts_with(words));
        self.reasons
            .iter()
            .map(String::as_str)
            .find(is_held_up)
            .or_else(|| of_machine.into_iter().find(is_barrier))
    }
}

/// All runs that wait, and what people are told of them now.
pub(crate) async fn told(store: &MemoryStore) -> Result<Vec<Told>> {
    let mut told = Vec::new();
    for Overview { name, .. } in store.sweep_list().await? {
        for run in runs(store, &name).await? {
            let silence_ms = SILENCE.as_millis() as i64;
            let explanation = store.run_explain(&name, run.number, silence_ms).await?;
            told.extend(explanation.and_then(|explanation| Told::of(&name, explanation)));
        }
    }
    Ok(told)
}

/// The runs of a sweep's plan, and those that are set aside.
pub(crate) async fn runs(store: &MemoryStore, sweep: &str) -> Result<Vec<RunRecord>> {
    let mut runs = store.run_list(sweep, &[], 0, u32::MAX).await?;
    runs.extend(store.set_aside_list(sweep, &[], 0, u32::MAX).await?);
    Ok(runs)
}

/// Holds what a claim was answered with against what people were told before and are told now.
pub(crate) fn judge_claim(
    machine: &str,
    claim: &Claim,
    grants: &[Grant],
    before: &[Told],
    now: &[Told],
) -> std::result::Result<(), String> {
    for Told { run, .. } in before.iter().filter(|told| told.barrier(machine).is_some()) {
        if grants.iter().any(|grant| grant.attempt.run == run.id) {
            return Err(format!(
                "run {} was granted to {machine}, from which something kept it, as people were told",
                run.number
            ));
        }
    }
    let groups: BTreeSet<u32> = grants.iter().map(|grant| grant.group).collect();
    // Who asks for places alone is given nothing as long as a run of another shape comes first.
    let is_served = groups.len() >= claim.offer.groups as usize || claim.joins.is_some();
    match now.iter().find(|told| !is_served && told.barrier(machine).is_none()) {
        None => Ok(()),
        Some(Told { sweep, run, reasons, workers }) => Err(format!(
            "{machine} has room and was not given run {} of {sweep}, from which nothing keeps it: {reasons:?}, {workers:?}",
            run.number
        )),
    }
}

/// What is to be read, and what was answered before.
pub(crate) struct Truth {
    sweeps: Vec<(Overview, Vec<RunRecord>)>,
    workers: Vec<WorkerRecord>,
    ledger: Ledger,
    now: Duration,
}

impl Truth {
    pub(crate) async fn of(store: &MemoryStore, ledger: Ledger, now: Duration) -> Result<Truth> {
        let mut sweeps = Vec::new();
        for overview in store.sweep_list().await? {
            let runs = runs(store, &overview.name).await?;
            sweeps.push((overview, runs));
        }
        Ok(Truth { sweeps, workers: store.worker_list(i64::MIN, "", u32::MAX).await?, ledger, now })
    }

    /// Whether what people are told of a run is true, and is all there is.
    pub(crate) fn judge(
        &self,
        sweep: &str,
        is_set_aside: bool,
        explanation: Explanation,
    ) -> std::result::Result<(), String> {
        let Some(Told { run, reasons, workers, .. }) = Told::of(sweep, explanation) else { return Ok(()) };
        let truth = self.reasons(sweep, &run, is_set_aside);
        if truth.len() != reasons.len()
            || reasons.iter().zip(&truth).any(|(told, truth)| !told.starts_with(truth))
        {
            return Err(format!("run {} waits since {truth:?}, and people are told {reasons:?}", run.number));
        }
        for (name, words) in workers.iter().filter(|_| !is_set_aside) {
            let mut of_name = self.workers.iter().filter(|worker| worker.registration.name == *name);
            if !of_name.any(|worker| self.is_true(words.as_deref(), worker, &run)) {
                return Err(format!("it is not true of {name} and run {}: {words:?}", run.number));
            }
        }
        Ok(())
    }

    /// How all reasons begin for which the run waits, whatever the workers do.
    fn reasons(&self, sweep: &str, run: &RunRecord, is_set_aside: bool) -> Vec<String> {
        if is_set_aside {
            return vec![HELD_UP[0].to_owned()];
        }
        let Some((of, runs)) = self.sweeps.iter().find(|(of, _)| of.name == sweep) else { return Vec::new() };
        let mut reasons = Vec::new();
        reasons.extend(of.paused.as_ref().map(|_| HELD_UP[1].to_owned()));
        let running = runs.iter().filter(|run| run.state == RunState::Running).count();
        if let Some(limit) = of.max_concurrent.filter(|limit| running >= *limit as usize) {
            reasons.push(format!("max_concurrent: {running} of {limit} runs"));
        }
        if of.paused.is_none() {
            reasons.push(match self.ahead(of, run) {
                0 => "it is the next in the queue".to_owned(),
                1 => "1 queued run comes before it".to_owned(),
                runs => format!("{runs} queued runs come before it"),
            });
        }
        if run.failures > 0 && run.message.is_some() {
            reasons.push(format!("it failed {} time", run.failures));
        }
        reasons
    }

    /// How many runs wait that are granted before this one.
    fn ahead(&self, of: &Overview, run: &RunRecord) -> usize {
        let queued = |(sweep, runs): &(Overview, Vec<RunRecord>)| {
            let in_plan: u32 = sweep.counts.iter().map(|(_, runs)| runs).sum();
            let plan = runs.iter().take(in_plan as usize).filter(|run| run.state == RunState::Queued);
            match sweep.name == of.name {
                true => plan.filter(|other| other.place < run.place).count(),
                false if sweep.priority > of.priority => plan.count(),
                false => 0,
            }
        };
        self.sweeps.iter().filter(|(sweep, _)| sweep.paused.is_none()).map(queued).sum()
    }

    /// Whether these words say what keeps this worker from the run; none says that nothing does.
    fn is_true(&self, words: Option<&str>, worker: &WorkerRecord, run: &RunRecord) -> bool {
        let (id, slots) = (&worker.registration.id, worker.registration.slots as usize);
        let silent = self.ledger.silence(id, self.now);
        let dataset = run.configuration.training_config().dataset.name().to_owned();
        let has_dataset = worker.registration.datasets.contains(&dataset);
        let is_open = worker.duty == Duty::Open;
        let may_be_here = silent.is_none_or(|silent| silent < SILENCE + MARGIN) && !worker.ended;
        match words {
            None => may_be_here && is_open && has_dataset,
            Some(words) if words.starts_with("it has ended") => {
                worker.ended || silent.is_none_or(|silent| silent + MARGIN > SILENCE)
            }
            Some(words) if words.starts_with(CORDONED) => may_be_here && !is_open,
            Some(words) if words.starts_with(NO_DATASET) => may_be_here && !has_dataset,
            Some(words) if words.starts_with(COULD_NOT) => {
                let fault = self.ledger.last_fault(run.id, &worker.registration.name);
                may_be_here && fault.is_some_and(|at| self.now < at + ELSEWHERE + MARGIN)
            }
            Some(words) if words.contains("slots rest") => may_be_here && worker.rest.is_some(),
            Some(words) if words.contains("slots are taken") => {
                may_be_here && self.ledger.groups(id) >= slots
            }
            Some(_) => false,
        }
    }
}
