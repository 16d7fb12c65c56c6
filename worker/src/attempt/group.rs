//! One group of runs in one trainer process, which may stay for the next group.

use std::sync::Arc;

use acai_proto::v1::{Assignment, Group};
use acai_sweep::trainer_protocol;

use super::admission::{Admission, admit};
use super::context::Context;
use super::ending::Ending;
use super::launch::launch;
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

/// Trains a group to the end of each of its runs. `idle` is the trainer that the group before has left.
pub(crate) async fn train(
    context: Arc<Context>,
    slot: &Slot,
    mut idle: Option<IdleTrainer>,
    group: Group,
) -> Trained {
    let mut session = Session::new(Arc::clone(&context));
    let given = admit_all(&context, &mut session, group.runs).await;
    // A trainer that had stayed may have been broken before this group came. Then the runs are still open, and a new trainer
    // is given them.
    while !session.is_empty() {
        let open = given.iter().filter(|member| session.is_open(member.run)).cloned().collect();
        let stays = match launch(&context, slot, idle.take(), open).await {
            Ok(Some(trainer)) => supervise(&context, &mut session, trainer).await,
            Ok(None) => {
                session.close_all(|| Ending::Released);
                None
            }
            Err(fault) => {
                session.close_all_for(fault);
                None
            }
        };
        idle = stays.map(|trainer| keep(&context, trainer));
    }
    if idle.is_none() {
        // Which faults of this machine there were is known only then.
        session.finish().await;
    }
    Trained { session, trainer: idle }
}

/// Keeps a trainer for the next group, but not when the worker is told to stop.
fn keep(context: &Arc<Context>, trainer: TrainerProcess) -> IdleTrainer {
    let stopping = Arc::clone(context);
    let end = async move {
        stopping.stop.asked().await;
    };
    IdleTrainer::new(trainer, context.trainer_idle, end)
}

/// Opens all runs that can be trained; returns what their trainer is given.
async fn admit_all(
    context: &Context,
    session: &mut Session,
    runs: Vec<Assignment>,
) -> Vec<trainer_protocol::Member> {
    let mut members = Vec::new();
    for assignment in runs {
        let Some(attempt) = assignment.attempt else { continue };
        if context.stop.is_asked() {
            session.hand_back(attempt, None);
            continue;
        }
        match admit(context, attempt, &assignment).await {
            Ok(Admission::Train(member, given)) => {
                session.open(member);
                members.push(given);
            }
            Ok(Admission::End(member, ending)) => session.close_member(member, ending),
            // The folder of another run of the group may be usable.
            Err(fault) => session.hand_back(attempt, Some(fault)),
        }
    }
    members
}
