//! One group of runs in one trainer process, which may stay for the next group.

use std::sync::Arc;

use acai_proto::v1::Assignment;

use super::admission::admit;
use super::context::Context;
use super::ending::Ending;
use super::joining::{begin_to_admit, take_in};
use super::launch::launch;
use super::newcomers::{Arrival, Newcomers};
use super::session::Session;
use super::supervision::supervise;
use crate::machine::devices::Slot;
use crate::trainer::{IdleTrainer, TrainerProcess};

/// A group that no trainer works on any more.
pub(crate) struct Trained {
    /// The group's runs. If no trainer stays, all of them are closed.
    pub(crate) session: Session,
    /// The trainer, if it stays for another group: that can begin while what this one has reported is on its way.
    pub(crate) trainer: Option<IdleTrainer>,
}

/// Trains a group to the end of each of its runs, and of those that join them. `idle` is the trainer that the group before has
/// left.
pub(crate) async fn train(
    context: Arc<Context>,
    slot: &Slot,
    mut idle: Option<IdleTrainer>,
    group: Vec<Assignment>,
    mut newcomers: Newcomers,
) -> Trained {
    let mut session = Session::new(Arc::clone(&context));
    for assignment in group {
        if let Some(admitted) = admit(&context, assignment).await {
            session.take_in(admitted);
        }
    }
    loop {
        idle = train_open(&context, slot, idle, &mut session, &mut newcomers).await;
        // A claim for the group's places may be under way, or runs that it was granted.
        match newcomers.last().await {
            Some(Arrival::Granted(groups)) => begin_to_admit(&mut session, &mut newcomers, groups, |_| false),
            Some(Arrival::Admitted(admitted)) => {
                let is_well = !session.has_fault();
                take_in(&mut session, admitted, is_well);
            }
            None => break,
        }
    }
    if idle.is_none() {
        // Which faults of this machine there were is known only then.
        session.finish().await;
    }
    Trained { session, trainer: idle }
}

/// Trains until no run is open; returns the trainer if it stays.
async fn train_open(
    context: &Arc<Context>,
    slot: &Slot,
    mut idle: Option<IdleTrainer>,
    session: &mut Session,
    newcomers: &mut Newcomers,
) -> Option<IdleTrainer> {
    // A trainer that had stayed may have been broken before this group came. Then the runs are still open, and a new trainer
    // is given them.
    while !session.is_empty() {
        let stays = match launch(context, slot, idle.take(), session.tasks()).await {
            Ok(Some(trainer)) => supervise(context, session, newcomers, (trainer, slot.gpu())).await,
            Ok(None) => {
                session.close_all(|| Ending::Released);
                None
            }
            Err(fault) => {
                session.close_all_for(fault);
                None
            }
        };
        idle = stays.map(|trainer| keep(context, trainer));
    }
    idle
}

/// Keeps a trainer for the next group, but not when the worker is told to stop.
fn keep(context: &Arc<Context>, trainer: TrainerProcess) -> IdleTrainer {
    let stopping = Arc::clone(context);
    let end = async move {
        stopping.stop.asked().await;
    };
    IdleTrainer::new(trainer, context.trainer_idle, end)
}
