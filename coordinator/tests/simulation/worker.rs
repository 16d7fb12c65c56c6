//! A worker as the protocol sees it: attempts that train, report, checkpoint and end.

use std::collections::{BTreeSet, VecDeque};

use acai_coordinator::store::{AttemptRef, Checkpoint, Claim, Grant, Mishap, Point, Registration, Renewal};
use acai_sweep::schedule::Offer;

use crate::network::{Answer, Call};

/// Steps of a run; each has one point.
pub(crate) const STEPS: u64 = 12;
/// Steps between two checkpoints.
const CHECKPOINT_STEPS: u64 = 4;
/// Points in a call at the most.
const BATCH: usize = 3;
/// Calls with points that are under way at a time.
const AHEAD: usize = 2;
/// Groups that a worker trains at a time.
const SLOTS: u32 = 2;

/// The value that training yields: of the run and the step alone, as training is deterministic.
pub(crate) fn value(run: u64, step: u64) -> f64 {
    (run as f64).sqrt() * 1e3 + 1.0 / step as f64
}

/// A worker.
pub(crate) struct Worker {
    pub(crate) id: String,
    /// Runs of a shape that it trains as one.
    group_size: u32,
    /// Stands still: it says nothing, and hears nothing.
    pub(crate) stopped: bool,
    pub(crate) training: Vec<Training>,
    /// Claims so far.
    claims: u64,
    /// The answer to its last claim did not come: the next one is the same.
    waits: bool,
}

impl Worker {
    pub(crate) fn new(id: String, group_size: u32) -> Worker {
        let training = Vec::new();
        Worker { id, group_size, stopped: false, training, claims: 0, waits: false }
    }

    pub(crate) fn registration(&self) -> Registration {
        Registration {
            id: self.id.clone(),
            name: self.id.clone(),
            version: String::new(),
            hardware: "{}".to_owned(),
            slots: SLOTS,
            datasets: vec!["lines32".to_owned()],
        }
    }

    /// Asks for work, if it has room for it.
    pub(crate) fn claim(&mut self) -> Option<Claim> {
        let groups: BTreeSet<_> = self.training.iter().map(|training| training.group).collect();
        let free = SLOTS.saturating_sub(groups.len() as u32);
        if self.stopped || free == 0 {
            return None;
        }
        if !self.waits {
            self.claims += 1;
            self.waits = true;
        }
        Some(Claim {
            worker: self.id.clone(),
            id: format!("{}-{}", self.id, self.claims),
            number: self.claims,
            offer: Offer { groups: free, group_size: self.group_size },
        })
    }

    /// Whether it has not heard the answer to this claim of its own.
    pub(crate) fn awaits(&self, claim: &Claim) -> bool {
        self.waits && self.claims == claim.number
    }

    /// Takes in the answer to a claim, unless it came twice.
    pub(crate) fn granted(&mut self, claim: &Claim, grants: &[Grant]) {
        self.waits &= self.claims != claim.number;
        for grant in grants {
            if !self.training.iter().any(|training| training.attempt == grant.attempt) {
                self.training.push(Training::begin(grant, (claim.number, grant.group)));
            }
        }
    }

    pub(crate) fn renewed(&mut self, renewal: &Renewal) {
        self.training.retain(|training| !renewal.fenced.contains(&training.attempt));
        for training in &mut self.training {
            training.yields |= renewal.yielding.contains(&training.attempt);
        }
    }

    /// Takes in what became of a call by one of its attempts.
    pub(crate) fn answered(&mut self, call: &Call, answer: &Answer) {
        self.training.retain_mut(|training| {
            call.attempt() != Some(training.attempt) || !training.answered(call, answer)
        });
    }
}

/// Why an attempt cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    Own,
    Diverged,
    Machine,
    Group,
}

/// An attempt on its worker.
#[derive(Debug, Clone)]
pub(crate) struct Training {
    pub(crate) attempt: AttemptRef,
    /// The claim that it was granted to, and which of the groups that this got it belongs to.
    group: (u64, u32),
    /// Steps done.
    step: u64,
    /// Points that are not acknowledged yet; the first has number `acked + 1`.
    outbox: VecDeque<Point>,
    acked: u64,
    /// Checkpoints that are not committed yet, with the number of the last point before each.
    checkpoints: VecDeque<(u64, u64)>,
    /// It has been asked to give the run back.
    yields: bool,
    /// The database lacks what it had acknowledged: a later attempt has to train that again.
    moved_back: bool,
    /// It cannot go on, and why.
    pub(crate) fails: Option<Failure>,
}

impl Training {
    /// Begins at the newest checkpoint of the grant.
    fn begin(grant: &Grant, group: (u64, u32)) -> Training {
        Training {
            attempt: grant.attempt,
            group,
            step: grant.checkpoints.first().map_or(0, |checkpoint| checkpoint.step),
            outbox: VecDeque::new(),
            acked: 0,
            checkpoints: VecDeque::new(),
            yields: false,
            moved_back: false,
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

    /// What there is to say next, all of it at once; nothing when it waits for training. A `hasty` worker commits a
    /// checkpoint before the points that it covers are acknowledged, which must be refused if they are not.
    pub(crate) fn calls(&self, hasty: bool) -> Vec<Call> {
        let attempt = self.attempt;
        let mut calls = Vec::new();
        if self.moved_back {
            return vec![Call::Release { attempt, mishap: None }];
        }
        if let Some(&(step, last_seq)) = self.checkpoints.front()
            && (last_seq <= self.acked || hasty)
        {
            let hasty = last_seq > self.acked;
            calls.push(Call::Commit { attempt, checkpoint: checkpoint(attempt.run, step), last_seq, hasty });
        }
        let points: Vec<Point> = self.outbox.iter().take(AHEAD * BATCH).cloned().collect();
        for (batch, points) in points.chunks(BATCH).enumerate() {
            let first_seq = self.acked + 1 + (batch * BATCH) as u64;
            calls.push(Call::Report {
                attempt,
                first_seq,
                points: points.to_vec(),
                step: self.step,
                acked: self.acked,
            });
        }
        if calls.is_empty() {
            calls.extend(match self.fails {
                Some(Failure::Own) => Some(Call::Fail { attempt, diverged: false }),
                Some(Failure::Diverged) => Some(Call::Fail { attempt, diverged: true }),
                Some(Failure::Machine) => Some(Call::Release {
                    attempt,
                    mishap: Some(Mishap::MachineFault("by chance".to_owned())),
                }),
                Some(Failure::Group) => {
                    Some(Call::Release { attempt, mishap: Some(Mishap::GroupFault("by chance".to_owned())) })
                }
                None if self.step == STEPS => Some(Call::Complete { attempt, last_seq: self.acked }),
                None if self.yields => Some(Call::Release { attempt, mishap: None }),
                None => None,
            });
        }
        calls
    }

    /// Takes in the answer to `call`; true when that ends the attempt.
    fn answered(&mut self, call: &Call, answer: &Answer) -> bool {
        match (call, answer) {
            (_, Answer::Fenced) => return true,
            (call, answer) if call.is_contradicted_by(answer) => self.moved_back = true,
            (Call::Report { .. }, Answer::Acknowledged(acked)) => {
                while self.acked < *acked {
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
            (Call::Commit { hasty: true, .. }, Answer::Refused) => {}
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
