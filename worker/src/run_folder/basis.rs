use acai_proto::v1::{Attempt, EarlierAttempt};
use serde::{Deserialize, Serialize};

/// What the coordinator's database held when a checkpoint was committed. A database that was restored from an older
/// backup has lost it, and training that went on from the checkpoint would leave a hole in the run's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Basis {
    attempt: u32,
    token: u64,
    /// The database held points 1 to this number of the attempt.
    last_seq: u64,
}

impl Basis {
    /// The points of `attempt` up to number `last_seq`.
    pub(crate) fn new(attempt: Attempt, last_seq: u64) -> Self {
        Self { attempt: attempt.number, token: attempt.token, last_seq }
    }

    /// The token of the attempt, if that has the number of `attempt` and is another one.
    pub(super) fn forgotten_by(&self, attempt: Attempt) -> Option<u64> {
        (self.attempt == attempt.number && self.token != attempt.token).then_some(self.token)
    }

    /// Whether a database that has these attempts still holds the points.
    pub(super) fn is_held(&self, attempts: &[EarlierAttempt]) -> bool {
        attempts.iter().any(|held| {
            (held.number, held.token) == (self.attempt, self.token) && held.acked_seq >= self.last_seq
        })
    }
}
