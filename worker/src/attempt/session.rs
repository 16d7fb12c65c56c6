//! The runs of a group: which are open, and which are being closed.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::Arc;

use acai_proto::v1::Attempt;
use acai_sweep::trainer_protocol;
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;

use super::admission::{Admission, Admitted};
use super::closing::{Closed, close, hand_back};
use super::context::Context;
use super::ending::Ending;
use super::machine_fault::MachineFault;
use super::member::Member;
use crate::summary::{Outcome, Summary};
use crate::trainer::{Stderr, TrainerProcess};

/// A group that is being trained, or whose runs are being closed.
pub(crate) struct Session {
    context: Arc<Context>,
    /// Runs that are being trained, and what their trainer is given.
    open: BTreeMap<u64, (Member, trainer_protocol::Member)>,
    /// All runs that the trainer was given; it may still speak of those that are not open any more.
    given: BTreeSet<u64>,
    /// What the trainer prints, once there is a trainer.
    stderr: Option<Stderr>,
    closing: JoinSet<Closed>,
    summary: Summary,
    /// The last fault of this machine.
    fault: Option<MachineFault>,
}

impl Session {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            open: BTreeMap::new(),
            given: BTreeSet::new(),
            stderr: None,
            closing: JoinSet::new(),
            summary: Summary::default(),
            fault: None,
        }
    }

    /// Opens a run that can be trained, and closes another one.
    pub(super) fn take_in(&mut self, admitted: Admitted) {
        match admitted {
            Admitted::Run(admission) => match *admission {
                Admission::Train(member, task) => {
                    self.given.insert(member.attempt.run);
                    self.open.insert(member.attempt.run, (member, task));
                }
                Admission::End(member, ending) => self.close_member(member, ending),
            },
            Admitted::HandedBack(attempt, fault) => self.hand_back(attempt, fault),
        }
    }

    /// What this trainer prints from now on is about the group's runs.
    pub(super) fn is_trained_by(&mut self, trainer: &TrainerProcess) {
        self.stderr = Some(trainer.stderr());
    }

    /// Whether no run is open.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn is_open(&self, run: u64) -> bool {
        self.open.contains_key(&run)
    }

    /// Whether the trainer was given the run, open or not.
    pub(super) fn was_given(&self, run: u64) -> bool {
        self.given.contains(&run)
    }

    pub(super) fn member(&self, run: u64) -> Option<&Member> {
        self.open.get(&run).map(|(member, _)| member)
    }

    /// An open run, and what its trainer is given.
    pub(super) fn open_run(&self, run: u64) -> Option<&(Member, trainer_protocol::Member)> {
        self.open.get(&run)
    }

    /// What the trainer is given of all open runs.
    pub(super) fn tasks(&self) -> Vec<trainer_protocol::Member> {
        self.open.values().map(|(_, task)| task.clone()).collect()
    }

    /// All open runs.
    pub(super) fn members(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.open.values().map(|(member, _)| member)
    }

    /// How many runs are being closed.
    pub(super) fn closing(&self) -> usize {
        self.closing.len()
    }

    /// Whether there was something that this machine could not do.
    pub(super) fn has_fault(&self) -> bool {
        self.fault.is_some()
    }

    /// Takes the runs of these attempts out: they are lost, and there is nothing to close.
    pub(super) fn take_lost(&mut self, lost: &[Attempt]) -> Vec<Member> {
        let is_lost = |member: &Member| lost.contains(&member.attempt);
        let lost = self.open.extract_if(.., |_, (member, _)| is_lost(member));
        let lost: Vec<Member> = lost.map(|(_, (lost, _))| lost).collect();
        for Member { attempt, .. } in &lost {
            tracing::warn!(id = attempt.run, attempt = attempt.number, "attempt lost");
            self.count(Outcome::Lost);
        }
        lost
    }

    /// Gives a run back that was never opened, for a fault of this machine or none.
    pub(super) fn hand_back(&mut self, attempt: Attempt, fault: Option<MachineFault>) {
        let (context, message) = (Arc::clone(&self.context), fault.as_ref().map(ToString::to_string));
        self.closing.spawn(async move { hand_back(&context, attempt, message).await.into() });
        self.fault = fault.or(self.fault.take());
    }

    pub(super) fn close(&mut self, run: u64, ending: Ending) {
        if let Some((member, _)) = self.open.remove(&run) {
            self.close_member(member, ending);
        }
    }

    pub(super) fn close_all(&mut self, ending: impl Fn() -> Ending) {
        for (member, _) in std::mem::take(&mut self.open).into_values() {
            self.close_member(member, ending());
        }
    }

    /// Gives all runs back, since this machine cannot train them.
    pub(super) fn close_all_for(&mut self, fault: MachineFault) {
        self.close_all(|| Ending::MachineFault(fault.clone()));
        self.fault = Some(fault);
    }

    /// Closes a run in the background: the rest of the group goes on meanwhile.
    pub(super) fn close_member(&mut self, member: Member, ending: Ending) {
        if let Ending::MachineFault(fault) = &ending {
            self.fault = Some(fault.clone());
        }
        let context = Arc::clone(&self.context);
        let span = member.span.clone();
        let printed = self.stderr.as_ref().map(Stderr::text);
        self.closing.spawn(async move { close(&context, member, ending, printed).await }.instrument(span));
    }

    /// Waits until all runs are closed; returns what became of them.
    pub(crate) async fn finish(&mut self) -> Summary {
        while let Some(closed) = self.closing.join_next().await {
            self.note(closed);
        }
        self.summary
    }

    /// Takes in what became of the runs that have been closed so far.
    pub(super) fn note_closed(&mut self) {
        while let Some(closed) = self.closing.try_join_next() {
            self.note(closed);
        }
    }

    fn note(&mut self, closed: Result<Closed, JoinError>) {
        let Closed { outcome, fault } = closed.unwrap_or_else(|error| resume_unwind(error.into_panic()));
        self.count(outcome);
        self.fault = fault.or(self.fault.take());
    }

    fn count(&mut self, outcome: Outcome) {
        self.summary += outcome;
        self.context.metrics.ended(outcome);
    }

    /// The last fault of this machine so far, if there was one: then some of the runs have been given back.
    pub(crate) fn take_fault(&mut self) -> Option<MachineFault> {
        self.fault.take()
    }
}
