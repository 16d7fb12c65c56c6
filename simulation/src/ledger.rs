//! What the coordinator's database has promised by its answers: who holds which run, and until when. Each later answer must
//! agree with that. A person could keep this ledger without knowing how a store works.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use acai_coordinator::store::{AttemptRef, Claim, Grant, Registration, Renewal, RunId};

use crate::reasons::SILENCE;
use crate::system::elapsed;

/// Terms that starting coordinators give a lease until it is renewed.
const FRESH_TERMS: u32 = 3;

/// See above. A copy is what a backup promises that is made now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    attempts: BTreeMap<(RunId, u32), Held>,
    /// The number of the last claim of each worker that was answered.
    claims: BTreeMap<String, u64>,
    /// Which machine a worker is on.
    machines: BTreeMap<String, String>,
    /// The workers that have said that they end.
    left: BTreeSet<String>,
    /// When each worker was heard of last.
    heard: BTreeMap<String, Duration>,
    /// When a machine last could not train a run, by the clock that the coordinator has now.
    faults: BTreeMap<(RunId, String), Duration>,
    /// When the last coordinator started.
    opened: Duration,
}

/// An attempt that was granted.
#[derive(Debug, Clone)]
struct Held {
    token: u64,
    worker: String,
    claim: String,
    /// The group that it belongs to.
    group: String,
    until_ms: i64,
    fresh_terms: u32,
    /// The coordinator's clock was set when the lease had had all its fresh terms: nobody knows until when it is.
    ends_any_time: bool,
    /// How it ended.
    end: Option<&'static str>,
}

impl Held {
    /// Attempts of release 0.1.0 say no token.
    fn is(&self, attempt: AttemptRef) -> bool {
        attempt.token == AttemptRef::NO_TOKEN || self.token == attempt.token
    }
}

impl Ledger {
    pub(crate) fn registers(&mut self, worker: &Registration) {
        self.machines.insert(worker.id.clone(), worker.name.clone());
        self.left.remove(&worker.id);
        self.hears(&worker.id);
    }

    /// A worker has said that it ends.
    pub(crate) fn leaves(&mut self, worker: &str) {
        self.left.insert(worker.to_owned());
    }

    /// Workers are forgotten that have no attempts, and with them which of their claims were answered.
    pub(crate) fn forgets_workers(&mut self, workers: &[String]) -> Result<(), String> {
        for worker in workers {
            if self.attempts.values().any(|held| held.worker == *worker && held.end.is_none()) {
                return Err(format!("worker {worker} was forgotten while it held a run"));
            }
            self.claims.remove(worker);
        }
        Ok(())
    }

    /// A worker calls.
    fn hears(&mut self, worker: &str) {
        self.heard.insert(worker.to_owned(), elapsed());
    }

    /// For how long a worker was silent. None: the coordinator has started so lately that it need not know that.
    pub(crate) fn silence(&self, worker: &str, now: Duration) -> Option<Duration> {
        let last = self.heard.get(worker).copied().unwrap_or_default();
        (now > self.opened + SILENCE).then(|| now.saturating_sub(last))
    }

    /// The machine that a worker is on.
    pub(crate) fn machine(&self, worker: &str) -> Option<&String> {
        self.machines.get(worker)
    }

    /// Whether a claim's worker waits for its answer.
    pub(crate) fn awaits(&self, claim: &Claim) -> bool {
        let answered = self.claims.get(&claim.worker).copied().unwrap_or_default();
        claim.number > answered && !self.left.contains(&claim.worker)
    }

    /// How many groups a worker holds.
    pub(crate) fn groups(&self, worker: &str) -> usize {
        let held = self.attempts.values().filter(|held| held.end.is_none() && held.worker == worker);
        held.map(|held| &held.group).collect::<BTreeSet<_>>().len()
    }

    /// When a machine last could not train a run.
    pub(crate) fn last_fault(&self, run: RunId, machine: &str) -> Option<Duration> {
        self.faults.get(&(run, machine.to_owned())).copied()
    }

    /// An attempt ended since its machine could not train the run.
    pub(crate) fn is_unfit(&mut self, attempt: AttemptRef) {
        let held = self.attempts.get(&(attempt.run, attempt.number)).filter(|held| held.end.is_none());
        if let Some(machine) = held.and_then(|held| self.machines.get(&held.worker)) {
            self.faults.insert((attempt.run, machine.clone()), elapsed());
        }
    }

    /// A claim was answered with these attempts, each with a lease until then.
    pub(crate) fn claims(&mut self, claim: &Claim, grants: &[Grant], until_ms: i64) -> Result<(), String> {
        let answered = self.claims.get(&claim.worker).copied().unwrap_or_default();
        self.hears(&claim.worker);
        for Grant { attempt: AttemptRef { run, number, token }, group, .. } in grants {
            let (run, number, token) = (*run, *number, *token);
            let of_claim = || format!("{}/{group}", claim.id);
            let group = claim.joins.as_ref().map_or_else(of_claim, |joins| joins.group.clone());
            if let Some(held) = self.attempts.get(&(run, number)) {
                if (held.token, held.end) != (token, None) || held.claim != claim.id {
                    return Err(format!("attempt {number} of run {run} was granted twice"));
                }
                continue;
            }
            let mut others = self.attempts.range((run, 0)..(run, u32::MAX));
            if others.any(|((_, other), held)| *other > number || held.end.is_none()) {
                return Err(format!(
                    "attempt {number} of run {run} was granted while another one held the run"
                ));
            }
            if claim.number <= answered {
                return Err(format!("run {run} was granted to a claim that had been answered before"));
            }
            let (worker, claim) = (claim.worker.clone(), claim.id.clone());
            let held = Held {
                token,
                worker,
                claim,
                group,
                until_ms,
                fresh_terms: 0,
                ends_any_time: false,
                end: None,
            };
            self.attempts.insert((run, number), held);
        }
        self.claims.insert(claim.worker.clone(), answered.max(claim.number));
        Ok(())
    }

    /// A worker renewed these leases until then, and was told which of them it does not hold.
    pub(crate) fn renews(
        &mut self,
        worker: &str,
        attempts: &[AttemptRef],
        renewal: &Renewal,
        until_ms: i64,
    ) -> Result<(), String> {
        self.hears(worker);
        for &attempt in attempts {
            let is_refused = renewal.fenced.contains(&attempt);
            match self.holding(attempt) {
                Some(_) if is_refused => return Err(format!("{attempt:?} holds its run, and was refused")),
                Some(held) => {
                    (held.until_ms, held.fresh_terms, held.worker) = (until_ms, 0, worker.to_owned());
                    held.ends_any_time = false;
                }
                None if !is_refused => return Err(format!("{attempt:?} is dead, and renewed its lease")),
                None => {}
            }
        }
        Ok(())
    }

    /// A coordinator starts, whose clock was set by so much since the last one started.
    pub(crate) fn opens(&mut self, by_ms: i64) {
        self.opened = elapsed();
        // A clock that was set back comes to the same time once more.
        let set_back = Duration::from_millis(by_ms.min(0).unsigned_abs());
        self.faults.values_mut().for_each(|at| *at += set_back);
        for held in self.attempts.values_mut().filter(|_| by_ms != 0) {
            held.until_ms += by_ms;
            held.ends_any_time |= held.fresh_terms == FRESH_TERMS;
        }
    }

    /// A coordinator has started, and given leases fresh terms until then.
    pub(crate) fn freshens(&mut self, until_ms: i64) {
        for held in self.attempts.values_mut().filter(|held| held.end.is_none()) {
            if held.until_ms < until_ms && held.fresh_terms < FRESH_TERMS {
                (held.until_ms, held.fresh_terms) = (until_ms, held.fresh_terms + 1);
            }
        }
    }

    /// The leases that were over before this time have ended: those and no others. Answers whose they were, by machines.
    pub(crate) fn expires(&mut self, before_ms: i64, lost: &[AttemptRef]) -> Result<Vec<String>, String> {
        let mut machines = Vec::new();
        for &attempt in lost {
            let held = self.holding(attempt).ok_or_else(|| format!("{attempt:?} was ended twice"))?;
            if held.until_ms >= before_ms && !held.ends_any_time {
                return Err(format!("the lease of {attempt:?} ended {} ms early", held.until_ms - before_ms));
            }
            held.end = Some("lost");
            let worker = held.worker.clone();
            machines.extend(self.machines.get(&worker).cloned());
        }
        let mut open = self.attempts.iter().filter(|(_, held)| held.end.is_none() && !held.ends_any_time);
        match open.find(|(_, held)| held.until_ms < before_ms) {
            Some(((run, number), _)) => {
                Err(format!("the lease of attempt {number} of run {run} is over, and was not ended"))
            }
            None => Ok(machines),
        }
    }

    /// What an attempt reports was taken.
    pub(crate) fn writes(&mut self, attempt: AttemptRef, what: &str) -> Result<(), String> {
        self.holding(attempt)
            .map(drop)
            .ok_or_else(|| format!("{what} of {attempt:?} were taken, which is dead"))
    }

    /// That an attempt has ended like this was taken; maybe once more.
    pub(crate) fn ends(&mut self, attempt: AttemptRef, how: &'static str) -> Result<(), String> {
        match self.attempts.get_mut(&(attempt.run, attempt.number)) {
            Some(held) if held.is(attempt) && held.end.is_none_or(|before| before == how) => {
                held.end = Some(how);
                Ok(())
            }
            _ => Err(format!("{attempt:?} ended as {how}, although it was dead")),
        }
    }

    /// These runs were forgotten with their sweep: none was held, and their attempts may not be heard of again. Other runs may get
    /// their ids.
    pub(crate) fn forgets(&mut self, runs: &[RunId]) -> Result<(), String> {
        let is_of_these = |run: &RunId| runs.contains(run);
        let held = self.attempts.iter().find(|((run, _), held)| is_of_these(run) && held.end.is_none());
        if let Some(((run, number), _)) = held {
            return Err(format!("attempt {number} of run {run} held its run when that was forgotten"));
        }
        self.attempts.retain(|(run, _), _| !is_of_these(run));
        self.faults.retain(|(run, _), _| !is_of_these(run));
        Ok(())
    }

    /// An attempt was refused.
    pub(crate) fn is_dead(&mut self, attempt: AttemptRef) -> Result<(), String> {
        match self.holding(attempt) {
            Some(_) => Err(format!("{attempt:?} holds its run, and was refused")),
            None => Ok(()),
        }
    }

    /// That an attempt has ended like this was refused.
    pub(crate) fn may_not_end(&mut self, attempt: AttemptRef, how: &'static str) -> Result<(), String> {
        let held = self.attempts.get(&(attempt.run, attempt.number));
        match held {
            Some(held) if held.is(attempt) && held.end.is_none_or(|before| before == how) => {
                Err(format!("{attempt:?} has ended as {how}, and was refused when it said so"))
            }
            _ => Ok(()),
        }
    }

    fn holding(&mut self, attempt: AttemptRef) -> Option<&mut Held> {
        let held = self.attempts.get_mut(&(attempt.run, attempt.number))?;
        (held.is(attempt) && held.end.is_none()).then_some(held)
    }
}
