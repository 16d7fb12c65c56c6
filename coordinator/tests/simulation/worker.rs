//! A worker as the protocol sees it: attempts that train, report, checkpoint and end.

use std::collections::VecDeque;

use acai_coordinator::store::{AttemptRef, Checkpoint, Grant, Point};

use crate::network::{Answer, Call};

/// Steps of a run; each has one point.
pub(crate) const STEPS: u64 = 12;
/// Steps between two checkpoints.
const CHECKPOINT_STEPS: u64 = 4;
/// Points in a call at the most.
const BATCH: usize = 3;

/// The value that training yields: of the run and the step alone, as training is deterministic.
pub(crate) fn value(run: u64, step: u64) -> f64 {
    (run as f64).sqrt() * 1e3 + 1.0 / step as f64
}

/// An attempt on its worker.
#[derive(Debug, Clone)]
pub(crate) struct Training {
    pub(crate) attempt: AttemptRef,
    /// Steps done.
    step: u64,
    /// Points that are not acknowledged yet; the first has number `acked + 1`.
    outbox: VecDeque<Point>,
    acked: u64,
    /// Checkpoints that are not committed yet, with the number of the last point before each.
    checkpoints: VecDeque<(u64, u64)>,
    /// It has been asked to give the run back.
    pub(crate) yields: bool,
    /// By its own fault or by chance.
    pub(crate) fails: Option<bool>,
}

impl Training {
    /// Begins at the newest checkpoint of the grant.
    pub(crate) fn begin(grant: &Grant) -> Training {
        Training {
            attempt: grant.attempt,
            step: grant.checkpoints.first().map_or(0, |checkpoint| checkpoint.step),
            outbox: VecDeque::new(),
            acked: 0,
            checkpoints: VecDeque::new(),
            yields: false,
            fails: None,
        }
    }

    /// Trains one step.
    pub(crate) fn step(&mut self) {
        if self.step == STEPS || self.fails.is_some() {
            return;
        }
        self.step += 1;
        let value = value(self.attempt.run, self.step);
        self.outbox.push_back(Point { name: "loss".to_owned(), step: self.step, value });
        if self.step.is_multiple_of(CHECKPOINT_STEPS) {
            self.checkpoints.push_back((self.step, self.acked + self.outbox.len() as u64));
        }
    }

    /// What there is to say next; none when it waits for training. A `hasty` worker commits a checkpoint before the
    /// points that it covers are acknowledged, which must be refused.
    pub(crate) fn call(&self, hasty: bool) -> Option<Call> {
        let attempt = self.attempt;
        if let Some(&(step, last_seq)) = self.checkpoints.front()
            && (last_seq <= self.acked || hasty)
        {
            return Some(Call::Commit { attempt, checkpoint: checkpoint(attempt.run, step), last_seq });
        }
        if !self.outbox.is_empty() {
            let points = self.outbox.iter().take(BATCH).cloned().collect();
            return Some(Call::Report { attempt, first_seq: self.acked + 1, points, step: self.step });
        }
        match self.fails {
            Some(diverged) => Some(Call::Fail { attempt, diverged }),
            None if self.step == STEPS => Some(Call::Complete { attempt, last_seq: self.acked }),
            None if self.yields => Some(Call::Release { attempt }),
            None => None,
        }
    }

    /// Takes in the answer to `call`; true when that ends the attempt.
    pub(crate) fn answered(&mut self, call: &Call, answer: Answer) -> bool {
        match (call, answer) {
            (_, Answer::Fenced) => return true,
            (Call::Report { .. }, Answer::Acknowledged(acked)) => {
                while self.acked < acked {
                    self.outbox
                        .pop_front()
                        .unwrap_or_else(|| panic!("{acked} points were acknowledged, too many"));
                    self.acked += 1;
                }
            }
            (Call::Commit { checkpoint, .. }, Answer::Taken) => {
                if self.checkpoints.front().is_some_and(|&(step, _)| step == checkpoint.step) {
                    self.checkpoints.pop_front();
                }
            }
            (Call::Commit { last_seq, .. }, Answer::Refused) if *last_seq > self.acked => {}
            (Call::Complete { .. } | Call::Fail { .. } | Call::Release { .. }, Answer::Taken) => return true,
            (call, answer) => panic!("{answer:?} is no answer to {call:?}"),
        }
        false
    }
}

/// The checkpoint of a run at a step: its bytes are a function of both.
fn checkpoint(run: u64, step: u64) -> Checkpoint {
    Checkpoint { step, sha256: format!("{run:032x}{step:032x}"), bytes: 1 + step }
}
