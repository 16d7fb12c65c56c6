//! An attempt on its worker: what it trains, and what it has to say.

use std::collections::VecDeque;
use std::sync::Arc;

use acai_coordinator::store::{AttemptRef, Checkpoint, Grant, Mishap, Point, RunId};
use sha2::{Digest as _, Sha256};

use crate::network::{Answer, Call};
use crate::visit::Trouble;

/// Steps of a run; each has one point.
pub(crate) const STEPS: u64 = 12;
/// Steps between two checkpoints.
const CHECKPOINT_STEPS: u64 = 4;
/// Points in a call at the most.
const BATCH: usize = 3;
/// Calls with points that are under way at a time.
const AHEAD: usize = 2;
/// Tries to hand a checkpoint over that there is no room for, and to commit one whose blob is gone.
const TRIES_UNWANTED: u32 = 4;
const TRIES_TO_COMMIT: u32 = 2;

/// The value that training yields: of the run and the step alone, as training is deterministic.
pub(crate) fn value(run: RunId, step: u64) -> f64 {
    (u64::from(run) as f64).sqrt() * 1e3 + 1.0 / step as f64
}

/// What an attempt begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Scratch,
    /// A checkpoint of its machine's own; `newer` than any that the coordinators have.
    Own {
        step: u64,
        newer: bool,
    },
    Downloaded(u64),
}

impl Start {
    pub(crate) fn step(self) -> u64 {
        match self {
            Start::Scratch => 0,
            Start::Own { step, .. } | Start::Downloaded(step) => step,
        }
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

/// A checkpoint that the coordinators do not have yet.
#[derive(Debug, Clone)]
struct Pending {
    step: u64,
    /// Number of the last point before it.
    last_seq: u64,
    /// It is on the machine's own disk.
    kept: bool,
    on_its_way: bool,
    uploaded: bool,
    /// How often there was no room for it, and how often its blob was gone.
    unwanted: u32,
    vanished: u32,
}

/// An attempt on its worker.
#[derive(Debug, Clone)]
pub(crate) struct Training {
    pub(crate) attempt: AttemptRef,
    /// The claim that it was granted to, and which of the groups that this got it belongs to.
    pub(crate) group: (u32, u64, u32),
    /// What is trained: the bytes of a checkpoint are a function of it and the step, in every sweep and database.
    what: Arc<str>,
    /// Steps done.
    step: u64,
    /// Points that are not acknowledged yet; the first has number `acked + 1`.
    outbox: VecDeque<Point>,
    acked: u64,
    /// Oldest first.
    checkpoints: VecDeque<Pending>,
    /// It has been asked to give the run back.
    pub(crate) yields: bool,
    /// The database lacks what it had acknowledged: a later attempt has to train that again.
    moved_back: bool,
    /// Its worker was killed: the one after it delivers what it had to say.
    left_behind: bool,
    /// It cannot go on, and why.
    pub(crate) fails: Option<Failure>,
}

impl Training {
    pub(crate) fn begin(grant: &Grant, group: (u32, u64, u32), start: Start) -> Training {
        let mut training = Training {
            attempt: grant.attempt,
            group,
            what: format!("{} with seed {}", grant.configuration.to_json(), grant.seed).into(),
            step: start.step(),
            outbox: VecDeque::new(),
            acked: 0,
            checkpoints: VecDeque::new(),
            yields: false,
            moved_back: false,
            left_behind: false,
            fails: None,
        };
        // An earlier attempt was cut off before it had handed it over.
        if let Start::Own { step, newer: true } = start {
            training.checkpointed(step, true);
        }
        training
    }

    fn checkpointed(&mut self, step: u64, kept: bool) {
        let last_seq = self.acked + self.outbox.len() as u64;
        let (on_its_way, uploaded, unwanted, vanished) = (false, false, 0, 0);
        self.checkpoints.push_back(Pending {
            step,
            last_seq,
            kept,
            on_its_way,
            uploaded,
            unwanted,
            vanished,
        });
    }

    /// Trains one step.
    pub(crate) fn step(&mut self) {
        if self.step == STEPS || self.fails.is_some() || self.left_behind {
            return;
        }
        self.step += 1;
        let value = value(self.attempt.run, self.step);
        self.outbox.push_back(Point { name: "loss".to_owned(), step: self.step, value });
        if self.step.is_multiple_of(CHECKPOINT_STEPS) {
            self.checkpointed(self.step, false);
        }
    }

    pub(crate) fn is_left_behind(&mut self) {
        self.left_behind = true;
    }

    /// The next checkpoint that its machine can keep, since all points before it are durable; it is kept from now on.
    pub(crate) fn next_to_keep(&mut self) -> Option<(u64, u64)> {
        let acked = self.acked;
        let next = self.checkpoints.iter_mut().find(|pending| !pending.kept && pending.last_seq <= acked)?;
        next.kept = true;
        Some((next.step, next.last_seq))
    }

    /// The oldest checkpoint, if it has to be uploaded now, and its bytes. A `hasty` worker uploads it, and commits it,
    /// before the points that it covers are acknowledged, which must be refused if they are not.
    pub(crate) fn next_to_upload(&mut self, hasty: bool) -> Option<(Checkpoint, Vec<u8>)> {
        let acked = self.acked;
        let front = self.checkpoints.front_mut()?;
        if front.uploaded || front.on_its_way || front.last_seq > acked && !hasty {
            return None;
        }
        front.on_its_way = true;
        let step = front.step;
        Some((self.checkpoint(step), self.bytes(step)))
    }

    fn bytes(&self, step: u64) -> Vec<u8> {
        format!("{} after {step} steps", self.what).into_bytes()
    }

    fn checkpoint(&self, step: u64) -> Checkpoint {
        let bytes = self.bytes(step);
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Checkpoint { step, sha256, bytes: bytes.len() as u64 }
    }

    /// What there is to say next, all of it at once; nothing when it waits for training.
    pub(crate) fn calls(&self, hasty: bool) -> Vec<Call> {
        let attempt = self.attempt;
        if self.moved_back {
            return vec![Call::Release { attempt, mishap: None }];
        }
        let mut calls = Vec::new();
        if let Some(front) = self.checkpoints.front()
            && front.uploaded
            && (front.last_seq <= self.acked || hasty)
        {
            let (checkpoint, last_seq) = (self.checkpoint(front.step), front.last_seq);
            calls.push(Call::Commit { attempt, checkpoint, last_seq, hasty: last_seq > self.acked });
        }
        let points: Vec<Point> = self.outbox.iter().take(AHEAD * BATCH).cloned().collect();
        for (batch, points) in points.chunks(BATCH).enumerate() {
            calls.push(Call::Report {
                attempt,
                first_seq: self.acked + 1 + (batch * BATCH) as u64,
                points: points.to_vec(),
                step: self.step,
                acked: self.acked,
            });
        }
        if calls.is_empty() {
            calls.extend(self.end());
        }
        calls
    }

    /// How it ends, if nothing else is to be said.
    fn end(&self) -> Option<Call> {
        let attempt = self.attempt;
        let by_chance = || "by chance".to_owned();
        let released = |mishap| Some(Call::Release { attempt, mishap });
        let waits = !self.checkpoints.is_empty();
        match self.fails {
            Some(Failure::Machine) => released(Some(Mishap::MachineFault(by_chance()))),
            Some(Failure::Group) => released(Some(Mishap::GroupFault(by_chance()))),
            // These end when their last checkpoint is handed over, or cannot be.
            Some(Failure::Own) if !waits => Some(Call::Fail { attempt, diverged: false }),
            Some(Failure::Diverged) if !waits => Some(Call::Fail { attempt, diverged: true }),
            None if self.step == STEPS && !waits => Some(Call::Complete { attempt, last_seq: self.acked }),
            None if self.step < STEPS && (self.yields || self.left_behind) => released(None),
            _ => None,
        }
    }

    /// Takes in the answer to `call`; true when that ends the attempt.
    pub(crate) fn answered(&mut self, call: &Call, answer: &Answer) -> bool {
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
            (Call::Commit { checkpoint, .. }, Answer::Taken) => self.dispose(checkpoint.step),
            (Call::Commit { checkpoint, .. }, Answer::NoBlob) => {
                let front = self.checkpoints.front_mut().filter(|front| front.step == checkpoint.step);
                if let Some(front) = front {
                    front.uploaded = false;
                    front.vanished += 1;
                    if front.vanished == TRIES_TO_COMMIT {
                        self.dispose(checkpoint.step);
                    }
                }
            }
            (Call::Commit { hasty: true, .. }, Answer::Refused) => {}
            (Call::Complete { .. } | Call::Fail { .. } | Call::Release { .. }, Answer::Taken) => return true,
            (call, answer) => panic!("{answer:?} is no answer to {call:?}"),
        }
        false
    }

    /// The checkpoint of this step is handed over, or cannot be: it stays on its machine.
    fn dispose(&mut self, step: u64) {
        if self.checkpoints.front().is_some_and(|front| front.step == step) {
            self.checkpoints.pop_front();
        }
    }

    /// Takes in what became of an upload, unless its coordinator was killed; true when that ends the attempt.
    pub(crate) fn upload_ended(&mut self, step: u64, answer: Option<&Answer>) -> bool {
        let Some(front) = self.checkpoints.front_mut().filter(|front| front.step == step) else {
            return matches!(answer, Some(Answer::Fenced));
        };
        front.on_its_way = false;
        match answer {
            None | Some(Answer::Trouble(Trouble::Passing)) => {}
            Some(Answer::Uploaded) => front.uploaded = true,
            Some(Answer::Fenced) => return true,
            Some(Answer::Trouble(Trouble::Lasting)) => self.dispose(step),
            Some(Answer::Trouble(Trouble::Full)) => {
                front.unwanted += 1;
                if front.unwanted == TRIES_UNWANTED {
                    self.dispose(step);
                }
            }
            Some(answer) => panic!("{answer:?} is no answer to an upload"),
        }
        false
    }
}
