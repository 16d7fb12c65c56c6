//! Which groups are trained on which slots.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use acai_proto::v1::Group;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::slot_pool::{Place, SlotPool};
use crate::attempt::{Context, MachineFault, probe, train};
use crate::error::WorkerError;
use crate::summary::Summary;

/// The groups of a worker, each in a task of its own, and the slots.
pub(super) struct Groups {
    context: Arc<Context>,
    slots: SlotPool,
    running: JoinSet<GroupEnd>,
}

/// A slot that has no group any more, and what happened on it.
pub(super) struct GroupEnd {
    pub(super) place: Place,
    pub(super) summary: Summary,
    pub(super) fault: Option<MachineFault>,
}

impl Groups {
    pub(super) fn new(context: Arc<Context>, slots: SlotPool) -> Self {
        Self { context, slots, running: JoinSet::new() }
    }

    /// How many groups are being trained.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// How many groups could begin now, after the slots that have rested enough are woken.
    pub(super) fn free_slots(&mut self) -> u32 {
        self.slots.wake(Instant::now());
        self.context.leases.say_resting(self.slots.resting());
        self.slots.free()
    }

    /// When the next slot has rested enough; none when none rests.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.slots.next_wake()
    }

    /// Trains a group that was granted in answer to a claim sent at `sent`.
    pub(super) fn begin(&mut self, group: Group, sent: Instant) {
        let Some(place) = self.slots.take() else {
            tracing::warn!(
                "the coordinator granted more groups than asked for; that one's leases will lapse"
            );
            return;
        };
        for attempt in group.runs.iter().filter_map(|run| run.attempt) {
            self.context.leases.grant(attempt, sent);
        }
        let context = Arc::clone(&self.context);
        self.running.spawn(async move {
            let (summary, fault) = train(context, &place.slot, group).await;
            GroupEnd { place, summary, fault }
        });
    }

    /// The next group that ends; none when none is being trained. Cancel safe.
    pub(super) async fn next_end(&mut self) -> Option<GroupEnd> {
        let ended = self.running.join_next().await?;
        Some(ended.unwrap_or_else(|error| resume_unwind(error.into_panic())))
    }

    /// Takes back the slot of a group that has ended, and has it rest after a fault of this machine.
    ///
    /// # Errors
    /// The trainer has failed to start on every slot and has started on none.
    pub(super) fn vacate(
        &mut self,
        mut place: Place,
        fault: Option<MachineFault>,
    ) -> Result<(), WorkerError> {
        let Some(fault) = fault else {
            self.slots.put_back(place);
            return Ok(());
        };
        let reason = fault.to_string();
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
                GroupEnd { place, summary: Summary::default(), fault }
            });
        }
    }

    /// Drops all groups, and kills their trainers.
    pub(super) async fn abort(&mut self) {
        self.running.shutdown().await;
    }
}
