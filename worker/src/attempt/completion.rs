//! How an attempt ends that has trained all steps.

use acai_proto::v1::CompleteRequest;

use super::context::Context;
use super::last_call::{fail, has_moved_back, release_restored};
use super::member::Member;
use crate::client::{Rejection, TransferError};
use crate::machine::disk::on_disk;
use crate::reporting::hand_over;
use crate::spool::OwnFault;
use crate::summary::Outcome;

/// How many times the last checkpoint is handed over again to a coordinator that has forgotten it.
const AGAIN: usize = 2;

/// Says that all is trained.
///
/// A coordinator whose database was restored from a backup may lack points; then the run is given back. Or it lacks
/// only the checkpoint that was committed last, which is then handed over again: nobody but this attempt would bring
/// it.
pub(super) async fn complete(context: &Context, member: &Member, step: u64, last_seq: u64) -> Outcome {
    let attempt = member.attempt;
    let mut committed = member.reporter.committed();
    let mut again = 0;
    loop {
        let checkpoint_step = committed.as_ref().map_or(0, |(checkpoint, _)| checkpoint.step);
        let request = CompleteRequest { attempt: Some(attempt), step, last_seq, checkpoint_step };
        let reason = match context.coordinator.complete(request).await {
            Ok(()) => {
                keep_last(member, step).await;
                return Outcome::Completed;
            }
            Err(Rejection::Fenced(_)) => return Outcome::Lost,
            Err(reason) => reason,
        };
        let is_refused = matches!(reason, Rejection::Refused(_));
        if is_refused && has_moved_back(context, attempt, last_seq).await {
            return release_restored(context, attempt, &reason.to_string()).await;
        }
        let Some((checkpoint, after)) = committed.take().filter(|_| is_refused) else {
            let message = format!("the coordinator refused the run's completion: {reason}");
            return fail(context, attempt, OwnFault::Error, &message, last_seq).await;
        };
        tracing::warn!(id = attempt.run, step = checkpoint.step, "handing it over again: {reason}");
        again += 1;
        match hand_over(&context.coordinator, attempt, &checkpoint, after).await {
            Ok(()) if again <= AGAIN => committed = Some((checkpoint, after)),
            Ok(()) => {}
            Err(TransferError::Rejected(Rejection::Fenced(_))) => return Outcome::Lost,
            Err(error) => tracing::warn!(id = attempt.run, "the last checkpoint stays here: {error}"),
        }
    }
}

/// Deletes what the trained model makes superfluous. That may fail without harm to the result.
async fn keep_last(member: &Member, step: u64) {
    let folder = member.folder.clone();
    if let Err(error) = on_disk(move || folder.keep_last(step)).await {
        tracing::warn!("cannot delete old checkpoints: {error}");
    }
}
