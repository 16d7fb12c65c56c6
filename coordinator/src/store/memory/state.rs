//! What the store remembers: maps of records, as a reader would draw them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use acai_access::Authority;
use acai_sweep::configuration::Configuration;
use acai_sweep::run::{Desired, RunState};

use super::metrics::Metric;
use crate::store::{
    AttemptRef, BlobFile, Duty, EventRecord, NewSweep, PlannedConfiguration, Registration, Rest, Result,
    RunId, StoreError, SweepId, TokenRecord,
};

/// Everything.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) sweeps: BTreeMap<SweepId, Sweep>,
    pub(super) runs: BTreeMap<RunId, Run>,
    pub(super) workers: BTreeMap<String, Worker>,
    /// The machines that take no runs, by their names.
    pub(super) duties: BTreeMap<String, Duty>,
    /// Blobs that have a file.
    pub(super) blobs: BTreeMap<String, Blob>,
    /// Files that were begun, and when.
    pub(super) uploads: BTreeMap<BlobFile, i64>,
    pub(super) blobs_place: Option<String>,
    pub(super) tokens: BTreeMap<String, TokenRecord>,
    pub(super) announced: Announced,
    pub(super) authority: Option<Authority>,
    /// While the authority is exchanged.
    pub(super) next_authority: Option<Authority>,
    /// The runs that claims pass over.
    pub(super) held: BTreeSet<RunId>,
}

/// What was announced to be uploaded for imports: by tokens and digests, how many bytes, and when.
pub(super) type Announced = BTreeMap<(String, String), (u64, i64)>;

#[derive(Debug, Clone)]
pub(super) struct Sweep {
    /// The file as it was submitted last, without its runs.
    pub(super) file: NewSweep,
    pub(super) submitted_ms: i64,
    /// Why it starts no runs.
    pub(super) paused: Option<String>,
    /// Runs that had ended badly when a person resumed the sweep, and do not count again.
    pub(super) failed_at_resume: usize,
    /// In the order of their numbers.
    pub(super) events: Vec<EventRecord>,
    pub(super) last_event: u64,
    /// How many runs it has ever had: the number of the next one.
    pub(super) numbered: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) id: RunId,
    pub(super) sweep: SweepId,
    pub(super) number: u32,
    pub(super) place: u32,
    pub(super) in_plan: bool,
    pub(super) seed: u64,
    pub(super) planned: Arc<PlannedConfiguration>,
    pub(super) configuration: Configuration,
    pub(super) total_steps: u64,
    pub(super) state: RunState,
    pub(super) queued_ms: i64,
    pub(super) step: u64,
    /// The worker that holds the run, or held it last.
    pub(super) worker: Option<String>,
    pub(super) lease: Option<Lease>,
    pub(super) desired: Option<Desired>,
    pub(super) failures: u32,
    pub(super) losses: u32,
    pub(super) message: Option<String>,
    /// Faults of machines count in later attempts than this one.
    pub(super) faults_after: u32,
    /// Whether it joins no group.
    pub(super) alone: bool,
    pub(super) void_attempts: u32,
    /// Attempt number `n` is at place `n - 1`.
    pub(super) attempts: Vec<Attempt>,
    pub(super) metrics: BTreeMap<String, Metric>,
    /// By their steps.
    pub(super) checkpoints: BTreeMap<u64, Checkpoint>,
    /// By their steps and names.
    pub(super) artifacts: BTreeMap<(u64, String), Artifact>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    pub(super) expires_ms: i64,
    pub(super) term_ms: i64,
    /// Terms that coordinators have given it since it was last renewed.
    pub(super) fresh_terms: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) token: u64,
    pub(super) worker: String,
    pub(super) claim: String,
    pub(super) group: u32,
    /// The group that it joined, if that is not of its own claim.
    pub(super) joined: Option<String>,
    pub(super) started_ms: i64,
    pub(super) ended_ms: Option<i64>,
    pub(super) outcome: Option<&'static str>,
    pub(super) message: Option<String>,
    pub(super) acked_seq: u64,
    pub(super) replay_mismatches: u64,
    pub(super) machine_fault: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) attempt: u32,
    pub(super) committed_ms: i64,
    /// Why it was taken out of use.
    pub(super) rejected: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Artifact {
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) attempt: u32,
    pub(super) added_ms: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub(super) tag: String,
    pub(super) bytes: u64,
    pub(super) last_used_ms: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) registration: Registration,
    pub(super) last_seen_ms: i64,
    /// Number of the last claim that was answered.
    pub(super) claims: u64,
    pub(super) ended: bool,
    pub(super) rest: Option<Rest>,
}

impl Run {
    /// Number of the latest attempt, 0 before the first.
    pub(super) fn attempt(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX)
    }

    /// The latest attempt, as workers name it.
    pub(super) fn latest(&self) -> Option<AttemptRef> {
        let token = self.attempts.last()?.token;
        Some(AttemptRef { run: self.id, number: self.attempt(), token })
    }

    /// The checkpoints that the run may resume from, newest first.
    pub(super) fn committed(&self) -> impl Iterator<Item = (u64, &Checkpoint)> {
        let committed = self.checkpoints.iter().rev().filter(|(_, checkpoint)| checkpoint.rejected.is_none());
        committed.map(|(&step, checkpoint)| (step, checkpoint))
    }

    /// The step of the newest of them, 0 if there is none.
    pub(super) fn newest_step(&self) -> u64 {
        self.committed().next().map_or(0, |(step, _)| step)
    }
}

impl Attempt {
    /// Whether a call with the token of `attempt` may speak for this attempt.
    pub(super) fn is(&self, attempt: AttemptRef) -> bool {
        attempt.token == AttemptRef::NO_TOKEN || attempt.token == self.token
    }
}

impl State {
    pub(super) fn sweep_id(&self, name: &str) -> Option<SweepId> {
        self.sweeps.iter().find(|(_, sweep)| sweep.file.name == name).map(|(&id, _)| id)
    }

    pub(super) fn sweep_mut(&mut self, id: SweepId) -> Result<&mut Sweep> {
        self.sweeps.get_mut(&id).ok_or_else(|| StoreError::Corrupt(format!("there is no sweep {id}")))
    }

    /// The runs of a sweep, in the order of their numbers.
    pub(super) fn runs_of(&self, sweep: SweepId) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(move |run| run.sweep == sweep)
    }

    /// The runs in the plan of a sweep, in its order.
    pub(super) fn plan(&self, sweep: SweepId) -> Vec<&Run> {
        let mut runs: Vec<&Run> = self.runs_of(sweep).filter(|run| run.in_plan).collect();
        runs.sort_by_key(|run| run.place);
        runs
    }

    /// How many runs in the plan of a sweep have ended badly, as its limit on these counts them.
    pub(super) fn failed_runs(&self, sweep: SweepId) -> usize {
        let is_failed = |run: &&Run| run.in_plan && matches!(run.state, RunState::Failed | RunState::Lost);
        self.runs_of(sweep).filter(is_failed).count()
    }

    /// Lets runs count towards the limit again that had ended badly before, and do so once more.
    pub(super) fn forget_failures_undone(&mut self, sweep: SweepId) -> Result<()> {
        let failed = self.failed_runs(sweep);
        let sweep = self.sweep_mut(sweep)?;
        sweep.failed_at_resume = sweep.failed_at_resume.min(failed);
        Ok(())
    }

    /// The name of a run's worker.
    pub(super) fn worker_name(&self, run: &Run) -> Option<String> {
        Some(self.workers.get(run.worker.as_ref()?)?.registration.name.clone())
    }

    /// Whether a machine takes runs.
    pub(super) fn duty(&self, machine: &str) -> Duty {
        self.duties.get(machine).copied().unwrap_or(Duty::Open)
    }

    /// The run that this attempt holds; [`StoreError::Fenced`] if it holds none.
    pub(super) fn held(&mut self, attempt: AttemptRef) -> Result<&mut Run> {
        self.latest(attempt).and_then(|run| match run.state {
            RunState::Running => Ok(run),
            _ => Err(StoreError::Fenced(attempt)),
        })
    }

    /// The run whose latest attempt this is, ended or not; [`StoreError::Fenced`] if it is not.
    pub(super) fn latest(&mut self, attempt: AttemptRef) -> Result<&mut Run> {
        let run = self.runs.get_mut(&attempt.run);
        let is_latest = |run: &&mut Run| {
            run.attempt() == attempt.number && run.attempts.last().is_some_and(|last| last.is(attempt))
        };
        run.filter(is_latest).ok_or(StoreError::Fenced(attempt))
    }
}
