//! One group of runs in one trainer process.

use std::sync::Arc;

use acai_proto::v1::{Assignment, Group};
use acai_sweep::trainer_protocol;

use super::admission::{Admission, admit};
use super::context::Context;
use super::ending::Ending;
use super::launch::launch;
use super::machine_fault::MachineFault;
use super::session::Session;
use super::supervision::supervise;
use crate::machine::devices::Slot;
use crate::summary::Summary;

/// Trains a group to the end of each of its runs. Also returns the last fault of this machine, if there was one: then
/// some of the runs have been given back.
pub(crate) async fn train(
    context: Arc<Context>,
    slot: &Slot,
    group: Group,
) -> (Summary, Option<MachineFault>) {
    let mut session = Session::new(Arc::clone(&context));
    let given = admit_all(&context, &mut session, group.runs).await;
    if !given.is_empty() {
        match launch(&context, slot, given).await {
            Ok(Some(trainer)) => supervise(&context, &mut session, trainer).await,
            Ok(None) => {}
            Err(fault) => session.close_all_for(fault),
        }
    }
    session.close_all(|| Ending::Released);
    session.finish().await
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
