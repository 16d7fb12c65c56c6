//! Calls and what becomes of them on the way.

use std::fmt::Write as _;
use std::sync::Arc;

use acai_coordinator::garbage::Collector;
use acai_coordinator::store::{
    AttemptRef, Checkpoint, Claim, Duty, Grant, Mishap, NewSweep, Point, Renewal, Store, StoreError,
};
use acai_sweep::control::Intent;
use rand::{Rng, RngExt};
use tokio::sync::Mutex;

use crate::transfer::{collect, upload};
use crate::visit::{Trouble, Visit};

/// A call to a coordinator.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// Points up to `acked` are durable, as the worker has been told.
    Report {
        attempt: AttemptRef,
        first_seq: u64,
        points: Vec<Point>,
        step: u64,
        acked: u64,
    },
    /// A checkpoint's bytes, which make it a blob.
    Upload {
        attempt: AttemptRef,
        checkpoint: Checkpoint,
        bytes: Arc<[u8]>,
        visit: Arc<Visit>,
    },
    Commit {
        attempt: AttemptRef,
        checkpoint: Checkpoint,
        last_seq: u64,
        hasty: bool,
    },
    Complete {
        attempt: AttemptRef,
        last_seq: u64,
    },
    Fail {
        attempt: AttemptRef,
        diverged: bool,
    },
    /// Nobody's fault, or that of a machine or of a group.
    Release {
        attempt: AttemptRef,
        mishap: Option<Mishap>,
    },
    Claim(Claim),
    Renew {
        worker: String,
        attempts: Vec<AttemptRef>,
    },
    /// A coordinator's own: it looks for leases that have ended.
    Expire,
    /// A coordinator's own: it deletes the checkpoints that nobody needs.
    Collect {
        collector: Arc<Mutex<Collector>>,
        visit: Arc<Visit>,
    },
    Submit(Box<NewSweep>),
    Change {
        sweep: String,
        numbers: Vec<u32>,
        intent: Intent,
    },
    Limit {
        sweep: String,
        priority: i64,
        max_concurrent: u32,
    },
    SetDuty {
        worker: String,
        duty: Duty,
    },
}

/// What an answer says.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Taken,
    Acknowledged(u64),
    Granted(Vec<Grant>),
    Renewed(Renewal),
    Fenced,
    /// It contradicts what is stored: such as a checkpoint before its points.
    Refused,
    /// The checkpoint's blob is not there.
    NoBlob,
    Uploaded,
    /// So many files are deleted.
    Collected(u32),
    /// Not done, for what is wrong where checkpoints are kept.
    Trouble(Trouble),
    /// The worker has to register.
    Unknown,
}

/// How an attempt ended, as `attempts.outcome` has it.
pub(crate) type Ending = &'static str;

impl Call {
    /// Whose write it is.
    pub(crate) fn attempt(&self) -> Option<AttemptRef> {
        match self {
            Call::Report { attempt, .. }
            | Call::Commit { attempt, .. }
            | Call::Complete { attempt, .. }
            | Call::Fail { attempt, .. }
            | Call::Release { attempt, .. } => Some(*attempt),
            _ => None,
        }
    }

    /// How it ends its attempt, if it does.
    pub(crate) fn ending(&self) -> Option<Ending> {
        match self {
            Call::Complete { .. } => Some("completed"),
            Call::Fail { diverged: true, .. } => Some("diverged"),
            Call::Fail { diverged: false, .. } => Some("failed"),
            Call::Release { .. } => Some("released"),
            _ => None,
        }
    }

    /// Whether it may get lost or come late: what a coordinator does by itself does not, and people wait for answers.
    pub(crate) fn may_fail(&self) -> bool {
        self.attempt().is_some() || matches!(self, Call::Claim(_) | Call::Renew { .. })
    }

    /// Whether an answer contradicts one that the worker had before: what was acknowledged is not there. So it is only
    /// where the database is an older one, or another.
    pub(crate) fn is_contradicted_by(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (Call::Report { acked, .. }, Answer::Acknowledged(durable)) => durable < acked,
            (Call::Commit { hasty: false, .. } | Call::Complete { .. }, Answer::Refused) => true,
            (_, Answer::Unknown) => true,
            _ => false,
        }
    }

    /// Takes effect on the store.
    pub(crate) async fn arrive(&self, store: &dyn Store, lease_ms: i64) -> Answer {
        let outcome = match self.clone() {
            Call::Upload { attempt, checkpoint, bytes, visit } => {
                upload(store, &visit, attempt, &checkpoint, &bytes).await
            }
            Call::Collect { collector, visit } => collect(store, &visit, &collector).await,
            Call::Report { attempt, first_seq, points, step, .. } => {
                store.metrics_append(attempt, first_seq, points, step).await.map(Answer::Acknowledged)
            }
            Call::Commit { attempt, checkpoint, last_seq, .. } => {
                store.checkpoint_commit(attempt, checkpoint, last_seq).await.map(|()| Answer::Taken)
            }
            Call::Complete { attempt, last_seq } => {
                let step = crate::training::STEPS;
                store.attempt_complete(attempt, step, last_seq).await.map(|()| Answer::Taken)
            }
            Call::Fail { attempt, diverged } => {
                store.attempt_fail(attempt, diverged, "by chance".to_owned(), 0).await.map(|_| Answer::Taken)
            }
            Call::Release { attempt, mishap: None } => {
                store.attempt_release(attempt).await.map(|_| Answer::Taken)
            }
            Call::Release { attempt, mishap: Some(mishap) } => {
                store.attempt_release_after(attempt, mishap).await.map(|_| Answer::Taken)
            }
            Call::Claim(claim) => store.run_claim(claim, lease_ms).await.map(Answer::Granted),
            Call::Renew { worker, attempts } => {
                store.lease_renew(&worker, attempts, lease_ms).await.map(Answer::Renewed)
            }
            Call::Expire => {
                let expired = async { store.lease_expire(store.probe().await?).await };
                expired.await.map(|_| Answer::Taken)
            }
            Call::Submit(sweep) => store.sweep_submit(*sweep).await.map(|_| Answer::Taken),
            Call::Change { sweep, numbers, intent } => {
                store.runs_change(&sweep, numbers, intent).await.map(|changes| {
                    assert!(changes.is_some(), "sweep {sweep} is not there");
                    Answer::Taken
                })
            }
            Call::Limit { sweep, priority, max_concurrent } => {
                let limits = store.sweep_set_limits(&sweep, Some(priority), Some(max_concurrent)).await;
                limits.map(|_| Answer::Taken)
            }
            Call::SetDuty { worker, duty } => {
                store.worker_set_duty(&worker, duty).await.map(|_| Answer::Taken)
            }
        };
        match outcome {
            Ok(answer) => answer,
            Err(StoreError::Fenced(_)) => Answer::Fenced,
            Err(StoreError::Conflict(why)) if why.starts_with("the checkpoint's blob") => Answer::NoBlob,
            Err(StoreError::Conflict(_) | StoreError::NoSuchRun { .. }) => Answer::Refused,
            Err(StoreError::UnknownWorker(_)) => Answer::Unknown,
            Err(error) => panic!("{self:?}: {error}"),
        }
    }
}

impl Answer {
    /// For the trace: without what is random in each database.
    pub(crate) fn trace(&self) -> String {
        let attempts = |attempts: &mut dyn Iterator<Item = AttemptRef>| {
            attempts.fold(String::new(), |mut text, attempt| {
                let _ = write!(text, " {}/{}", attempt.run, attempt.number);
                text
            })
        };
        match self {
            Answer::Granted(grants) => {
                format!("granted{}", attempts(&mut grants.iter().map(|grant| grant.attempt)))
            }
            Answer::Renewed(renewal) => {
                let fenced = attempts(&mut renewal.fenced.iter().copied());
                format!("fenced{fenced}, yielding{}", attempts(&mut renewal.yielding.iter().copied()))
            }
            Answer::Collected(deleted) => format!("{deleted} files are deleted"),
            answer => format!("{answer:?}"),
        }
    }
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives,
    /// It takes no effect.
    Lost,
    /// It takes effect, and its answer does not come back.
    AnswerLost,
    /// Two copies are under way at a time.
    Doubled,
    /// The caller hears nothing, and it takes effect some time later.
    Late,
}

impl Fate {
    pub(crate) fn draw(random: &mut impl Rng) -> Fate {
        match random.random_range(0..20) {
            0 | 1 => Fate::Lost,
            2 | 3 => Fate::AnswerLost,
            4 => Fate::Doubled,
            5 => Fate::Late,
            _ => Fate::Arrives,
        }
    }
}
