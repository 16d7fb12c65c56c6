//! Calls and what becomes of them on the way.

use acai_coordinator::store::{AttemptRef, Checkpoint, Point, Store, StoreError};
use rand::{Rng, RngExt};

/// A call by a worker about an attempt.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    Report { attempt: AttemptRef, first_seq: u64, points: Vec<Point>, step: u64 },
    Commit { attempt: AttemptRef, checkpoint: Checkpoint, last_seq: u64 },
    Complete { attempt: AttemptRef, last_seq: u64 },
    Fail { attempt: AttemptRef, diverged: bool },
    Release { attempt: AttemptRef },
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Taken,
    Acknowledged(u64),
    Fenced,
    /// It contradicts what is stored: such as a checkpoint before its points.
    Refused,
}

impl Call {
    pub(crate) fn attempt(&self) -> AttemptRef {
        match self {
            Call::Report { attempt, .. }
            | Call::Commit { attempt, .. }
            | Call::Complete { attempt, .. }
            | Call::Fail { attempt, .. }
            | Call::Release { attempt } => *attempt,
        }
    }

    /// Takes effect on the store.
    pub(crate) async fn arrive(&self, store: &dyn Store) -> Answer {
        let outcome = match self.clone() {
            Call::Report { attempt, first_seq, points, step } => {
                store.metrics_append(attempt, first_seq, points, step).await.map(Answer::Acknowledged)
            }
            Call::Commit { attempt, checkpoint, last_seq } => {
                store.blob_add(&checkpoint.sha256, checkpoint.bytes).await.unwrap();
                store.checkpoint_commit(attempt, checkpoint, last_seq).await.map(|()| Answer::Taken)
            }
            Call::Complete { attempt, last_seq } => {
                let step = crate::worker::STEPS;
                store.attempt_complete(attempt, step, last_seq).await.map(|()| Answer::Taken)
            }
            Call::Fail { attempt, diverged } => {
                store.attempt_fail(attempt, diverged, "by chance".to_owned()).await.map(|_| Answer::Taken)
            }
            Call::Release { attempt } => store.attempt_release(attempt).await.map(|_| Answer::Taken),
        };
        match outcome {
            Ok(answer) => answer,
            Err(StoreError::Fenced(_)) => Answer::Fenced,
            Err(StoreError::Conflict(_)) => Answer::Refused,
            Err(error) => panic!("{self:?}: {error}"),
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
    /// It takes effect twice.
    Doubled,
    /// The caller hears nothing, and it takes effect some time later.
    Late,
}

impl Fate {
    pub(crate) fn draw(random: &mut impl Rng, faulty: bool) -> Fate {
        if !faulty {
            return Fate::Arrives;
        }
        match random.random_range(0..20) {
            0 | 1 => Fate::Lost,
            2 | 3 => Fate::AnswerLost,
            4 => Fate::Doubled,
            5 => Fate::Late,
            _ => Fate::Arrives,
        }
    }
}
