//! A worker as the protocol sees it: attempts that train, and a machine that outlives it.

use std::collections::BTreeSet;

use acai_coordinator::store::{AttemptRef, Claim, Grant, Registration, Renewal};
use acai_sweep::schedule::Offer;

use crate::disk::Disk;
use crate::network::{Answer, Call};
use crate::training::{Start, Training};

/// Groups that a worker trains at a time.
const SLOTS: u32 = 2;

/// A worker.
pub(crate) struct Worker {
    /// Of the machine.
    pub(crate) name: String,
    /// Times that it was started on the machine.
    starts: u32,
    /// Runs of a shape that it trains as one.
    group_size: u32,
    /// Stands still: it says nothing, and hears nothing.
    pub(crate) stopped: bool,
    pub(crate) training: Vec<Training>,
    disk: Disk,
    /// The database that it last registered with.
    pub(crate) database: String,
    /// Claims so far.
    claims: u64,
    /// The answer to its last claim did not come: the next one is the same.
    waits: bool,
}

impl Worker {
    pub(crate) fn new(name: String, group_size: u32) -> Worker {
        Worker {
            name,
            starts: 1,
            group_size,
            stopped: false,
            training: Vec::new(),
            disk: Disk::default(),
            database: String::new(),
            claims: 0,
            waits: false,
        }
    }

    pub(crate) fn id(&self) -> String {
        format!("{}.{}", self.name, self.starts)
    }

    /// The name of the worker that has this id.
    pub(crate) fn name_of(id: &str) -> &str {
        id.split_once('.').unwrap().0
    }

    /// It is killed and started again: it ends its attempts as far as they have come, and goes on from what is on its disk.
    pub(crate) fn restart(&mut self) {
        self.starts += 1;
        (self.claims, self.waits, self.stopped) = (0, false, false);
        self.training.iter_mut().for_each(Training::is_left_behind);
    }

    pub(crate) fn registration(&self) -> Registration {
        Registration {
            id: self.id(),
            name: self.name.clone(),
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
            worker: self.id(),
            id: format!("{}-{}", self.id(), self.claims),
            number: self.claims,
            offer: Offer { groups: free, group_size: self.group_size },
            joins: None,
        })
    }

    /// Whether it has not heard the answer to this claim of its own.
    pub(crate) fn awaits(&self, claim: &Claim) -> bool {
        self.waits && self.claims == claim.number
    }

    /// Hears the answer to a claim, which may be one that it has heard before.
    pub(crate) fn is_answered(&mut self, claim: &Claim) {
        self.waits &= self.claims != claim.number;
    }

    pub(crate) fn trains(&self, attempt: AttemptRef) -> bool {
        self.training.iter().any(|training| training.attempt == attempt)
    }

    /// The step of the newest checkpoint of its own that it may go on from.
    pub(crate) fn resumable(&mut self, grant: &Grant) -> Option<u64> {
        self.disk.resumable(&self.database, grant)
    }

    /// Begins the attempt that it is granted.
    pub(crate) fn begin(&mut self, claim: &Claim, grant: &Grant, start: Start) {
        if let Start::Downloaded(step) = start {
            // The grant vouches for what comes before it.
            self.disk.keep(&self.database, step, (grant.attempt, 0));
        }
        let group = (self.starts, claim.number, grant.group);
        self.training.push(Training::begin(grant, group, start));
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
        for training in &mut self.training {
            while let Some((step, last_seq)) = training.next_to_keep() {
                self.disk.keep(&self.database, step, (training.attempt, last_seq));
            }
        }
    }

    /// Takes in what became of the upload of a checkpoint; nobody knows if its coordinator was killed meanwhile.
    pub(crate) fn upload_ended(&mut self, attempt: AttemptRef, step: u64, answer: Option<&Answer>) {
        self.training
            .retain_mut(|training| training.attempt != attempt || !training.upload_ended(step, answer));
    }
}
