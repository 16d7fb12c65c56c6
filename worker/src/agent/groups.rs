//! Which groups are trained on which slots.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use acai_proto::v1::{self, Group};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::slot_pool::{Place, SlotPool};
use crate::attempt::{Context, MachineFault, Newcomers, Session, Trained, Vacancy, probe, train};
use crate::error::WorkerError;
use crate::summary::Summary;

/// The groups of a worker, each in a task of its own, and the slots.
pub(super) struct Groups {
    context: Arc<Context>,
    slots: SlotPool,
    running: JoinSet<Vacated>,
    /// What coordinators know of the groups that are trained and that runs may join, by their numbers here.
    known: BTreeMap<u64, v1::Vacancy>,
    /// How many groups were begun.
    count: u64,
    /// Groups that occupy no slot any more, until the coordinator has all that they reported.
    closing: JoinSet<Summary>,
    /// So many groups are being closed at the most: without a bound they would pile up when it takes longer to report a
    /// group than to train one.
    most_closing: u32,
}

/// A slot that has no group any more.
struct Vacated {
    place: Place,
    /// The number of the group that it had; 0 if it had none.
    number: u64,
    /// Why the slot has to rest, if it has to.
    fault: Option<MachineFault>,
    /// The group that it had, which may have to be closed.
    group: Option<Session>,
}

impl Groups {
    pub(super) fn new(context: Arc<Context>, slots: SlotPool) -> Self {
        let most_closing = slots.free();
        Self {
            context,
            slots,
            running: JoinSet::new(),
            known: BTreeMap::new(),
            count: 0,
            closing: JoinSet::new(),
            most_closing,
        }
    }

    /// How many groups are being trained or closed.
    pub(super) fn len(&self) -> usize {
        self.running.len() + self.closing.len()
    }

    /// How many groups could begin now, after the slots that have rested enough are woken.
    pub(super) fn free_slots(&mut self) -> u32 {
        self.slots.wake(Instant::now());
        let resting = self.slots.resting();
        self.context.metrics.tell_slots(self.slots.free(), self.running.len() as u32, resting.slots);
        self.context.leases.say_resting(resting);
        self.slots.free().min(self.most_closing.saturating_sub(self.closing.len() as u32))
    }

    /// When the next slot has rested enough; none when none rests.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.slots.next_wake()
    }

    /// Trains a group that was granted in answer to a claim sent at `sent`.
    pub(super) fn begin(&mut self, group: Group, sent: Instant) {
        let Some(mut place) = self.slots.take() else {
            tracing::warn!(
                "the coordinator granted more groups than asked for; that one's leases will lapse"
            );
            return;
        };
        self.hold(&group, sent);
        self.context.sizing.begins(&group.shape);
        self.count += 1;
        let context = Arc::clone(&self.context);
        let number = self.count;
        let newcomers = Newcomers::new(Arc::clone(&context), number, group.shape.clone());
        self.known.insert(number, v1::Vacancy { shape: group.shape, group: group.name, places: 0 });
        self.running.spawn(async move {
            let Trained { mut session, trainer } =
                train(context, &place.slot, place.trainer.take(), group.runs, newcomers).await;
            place.trainer = trainer;
            Vacated { place, number, fault: session.take_fault(), group: Some(session) }
        });
    }

    /// Holds the leases of a group that was granted in answer to a claim sent at `sent`.
    fn hold(&self, group: &Group, sent: Instant) {
        for attempt in group.runs.iter().filter_map(|run| run.attempt) {
            self.context.leases.grant(attempt, sent);
        }
    }

    /// The places that are due to be filled, and how a coordinator is told of them.
    pub(super) fn due_vacancy(&self) -> Option<(u64, v1::Vacancy)> {
        let Vacancy { group, places } = self.context.vacancies.begin_claim(Instant::now())?;
        let known = self.known.get(&group).cloned().unwrap_or_default();
        Some((group, v1::Vacancy { places, ..known }))
    }

    /// Has runs join the group of this number, which were granted in answer to a claim sent at `sent`. If there are none, they
    /// are claimed again `retry_at` at the earliest.
    pub(super) fn join(&self, number: u64, runs: Vec<Group>, sent: Instant, retry_at: Instant) {
        runs.iter().for_each(|group| self.hold(group, sent));
        self.context.vacancies.settle(number, runs, retry_at);
    }

    /// Waits until a slot becomes free or a group is closed; returns what became of the runs of that group. None when there
    /// is no group. Cancel safe.
    ///
    /// # Errors
    /// The trainer has failed to start on every slot and has started on none.
    pub(super) async fn next_end(&mut self) -> Option<Result<Summary, WorkerError>> {
        tokio::select! {
            Some(vacated) = self.running.join_next() => {
                let Vacated { place, number, fault, group } = joined(vacated);
                self.known.remove(&number);
                if let Some(mut group) = group {
                    self.closing.spawn(async move { group.finish().await });
                }
                Some(self.vacate(place, fault).map(|()| Summary::default()))
            }
            Some(closed) = self.closing.join_next() => Some(Ok(joined(closed))),
            else => None,
        }
    }

    /// Takes back a slot, and has it rest after a fault of this machine.
    fn vacate(&mut self, mut place: Place, fault: Option<MachineFault>) -> Result<(), WorkerError> {
        let Some(fault) = fault else {
            self.slots.put_back(place);
            return Ok(());
        };
        let reason = fault.to_string();
        self.context.metrics.rests(fault.kind());
        if matches!(fault, MachineFault::TrainerStart { .. }) {
            let starts_nowhere = self.slots.fails_to_start(&mut place);
            if !self.context.has_started_trainers.load(Ordering::Relaxed) {
                if starts_nowhere {
                    return Err(WorkerError::TrainerStart { reason });
                }
                self.probe_others();
            }
        }
        tracing::warn!(slot = place.slot.device, "this slot rests: {reason}");
        self.slots.rest(place, reason, Instant::now(), rand::random());
        Ok(())
    }

    /// Finds out at once whether a trainer starts on the slots on which none was started yet: there may be no runs for
    /// these slots, or the coordinator may not grant this worker again the runs that it has just given back.
    fn probe_others(&mut self) {
        for place in self.slots.take_startable() {
            let context = Arc::clone(&self.context);
            self.running.spawn(async move {
                let fault = probe(&context, &place.slot).await.err();
                Vacated { place, number: 0, fault, group: None }
            });
        }
    }

    /// Drops all groups, and kills their trainers.
    pub(super) async fn abort(&mut self) {
        self.running.shutdown().await;
        self.closing.shutdown().await;
    }
}

fn joined<T>(task: Result<T, JoinError>) -> T {
    task.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}
