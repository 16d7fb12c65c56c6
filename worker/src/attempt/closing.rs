//! How an attempt ends: first everything is acknowledged, then comes the last call.

use std::time::Duration;

use acai_proto::v1::Attempt;
use tokio::time::{Instant, sleep};

use super::completion::complete;
use super::context::Context;
use super::ending::Ending;
use super::last_call::{fail, release, release_for_group, release_for_machine};
use super::log::keep_log;
use super::machine_fault::MachineFault;
use super::member::Member;
use super::resume::reject;
use crate::client::digest;
use crate::machine::disk::on_disk;
use crate::reporting::ReportError;
use crate::spool::OwnFault;
use crate::summary::Outcome;

/// An attempt that has ended.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) outcome: Outcome,
    /// What this machine could not do at the attempt's end; the slot rests.
    pub(crate) fault: Option<MachineFault>,
}

impl From<Outcome> for Closed {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, fault: None }
    }
}

/// Flushes and ends an attempt whose trainer has printed `printed`. Outages are waited out, and the lease is kept up
/// meanwhile.
pub(super) async fn close(
    context: &Context,
    member: Member,
    ending: Ending,
    printed: Option<impl Future<Output = String>>,
) -> Closed {
    context.leases.settle(member.attempt);
    if let Some(word) = ending.final_word() {
        member.reporter.final_word(word);
    }
    if let Some(printed) = printed {
        keep_log(&member, printed.await, &ending).await;
    }
    finish(context, member, ending).await
}

/// Ends an attempt whose final word, if there was one, is in its spool.
pub(crate) async fn finish(context: &Context, member: Member, ending: Ending) -> Closed {
    let attempt = member.attempt;
    let closed = end(context, &member, ending).await;
    let outcome = closed.outcome;
    // The spool is kept until the attempt has ended: if this agent is killed before, the next one has to end the
    // attempt.
    member.reporter.discard().await;
    context.leases.forget(attempt);
    tracing::info!(id = attempt.run, attempt = attempt.number, ?outcome, "attempt ended");
    closed
}

/// Ends an attempt that was never started, for a fault of this machine or none.
pub(super) async fn hand_back(context: &Context, attempt: Attempt, fault: Option<String>) -> Outcome {
    context.leases.settle(attempt);
    let outcome = match fault {
        Some(message) => release_for_machine(context, attempt, &message).await,
        None => release(context, attempt).await,
    };
    context.leases.forget(attempt);
    outcome
}

async fn end(context: &Context, member: &Member, ending: Ending) -> Closed {
    match flush(context, member, &ending).await {
        Ok(last_seq) => end_reported(context, member, ending, last_seq).await,
        Err(error) => end_unreported(context, member, error).await.into(),
    }
}

/// Resolves with the number of the last point when all is acknowledged.
async fn flush(context: &Context, member: &Member, ending: &Ending) -> Result<u64, ReportError> {
    let reporter = &member.reporter;
    match ending {
        // The time for checkpoints is limited, because another machine goes on from the last checkpoint that came
        // through, and this slot takes another run.
        Ending::Released | Ending::GroupFault { .. } | Ending::MachineFault(_) => tokio::select! {
            flushed = reporter.flush() => flushed,
            () = sleep(context.last_uploads) => reporter.flush_points().await,
            () = context.last_moment() => reporter.flush_points().await,
        },
        Ending::Completed { .. } | Ending::Failed { .. } | Ending::CheckpointRefused { .. } => {
            let last_seq = reporter.flush_points().await?;
            let not_before = Instant::now() + LEAST_PATIENCE;
            tokio::select! {
                flushed = reporter.flush() => flushed,
                () = context.coordinator.blobs().fail_for(MOST_PATIENCE, not_before) => {
                    let id = member.attempt.run;
                    tracing::warn!(
                        id,
                        "the last checkpoint stays here: the place of checkpoints took nothing for {MOST_PATIENCE:?}"
                    );
                    Ok(last_seq)
                }
            }
        }
    }
}

/// A run whose points are all acknowledged waits for its last checkpoint until the place of checkpoints has taken nothing for so long:
/// one that fails for ever would otherwise keep the slot, and the run from its end …
const MOST_PATIENCE: Duration = Duration::from_secs(30 * 60);
/// … and for so long at least, until one more try fails: the place may be whole again, and a long upload under way.
const LEAST_PATIENCE: Duration = Duration::from_secs(2 * 60);

/// Ends an attempt whose points up to number `last_seq` are acknowledged, and there are no more.
async fn end_reported(context: &Context, member: &Member, ending: Ending, last_seq: u64) -> Closed {
    let attempt = member.attempt;
    let outcome = match ending {
        Ending::Completed { step } => complete(context, member, step, last_seq).await,
        Ending::Failed { kind, message } => fail(context, attempt, kind, &message, last_seq).await,
        Ending::CheckpointRefused { message } => return refuse(context, member, &message).await,
        Ending::MachineFault(fault) => release_for_machine(context, attempt, &fault.to_string()).await,
        // A coordinator of the first release would grant the same group again at once, and without end.
        Ending::GroupFault { message } if context.coordinator.peer().is_first_release() => {
            fail(context, attempt, OwnFault::Error, &message, last_seq).await
        }
        Ending::GroupFault { message } => release_for_group(context, attempt, &message).await,
        Ending::Released => release(context, attempt).await,
    };
    outcome.into()
}

/// Ends an attempt whose points the coordinator does not take.
async fn end_unreported(context: &Context, member: &Member, error: ReportError) -> Outcome {
    let attempt = member.attempt;
    match error {
        ReportError::Lost => Outcome::Lost,
        moved_back @ ReportError::MovedBack(_) => {
            tracing::warn!(id = attempt.run, attempt = attempt.number, "giving the run back: {moved_back}");
            release(context, attempt).await
        }
        // The checkpoints on this machine stay in use: they may be the best that there is of the run.
        ReportError::Damaged(reason) => fail(context, attempt, OwnFault::Error, &reason, 0).await,
        ReportError::Refused(reason) => {
            // A later attempt must not build on a history that was never taken.
            let folder = member.folder.clone();
            if let Err(error) = on_disk(move || folder.set_all_aside()).await {
                tracing::warn!("cannot set the checkpoints aside: {error}");
            }
            let message = format!("the coordinator refused the attempt's points: {reason}");
            fail(context, attempt, OwnFault::Error, &message, 0).await
        }
    }
}

/// Gives a run back whose trainer would not go on from its checkpoint, and takes the checkpoint out of use.
async fn refuse(context: &Context, member: &Member, message: &str) -> Closed {
    let (attempt, folder) = (member.attempt, member.folder.clone());
    tracing::warn!(id = attempt.run, "not resuming from this checkpoint again: {message}");
    if let Some(checkpoint) = &member.resume
        && let Ok((sha256, _)) = digest(&checkpoint.file).await
    {
        reject(context, attempt, sha256, message, false).await;
    }
    let Err(error) = on_disk(move || folder.set_aside()).await else {
        return release(context, attempt).await.into();
    };
    // On this machine the run would meet the checkpoint again. So the fault is the machine's: others may have the run,
    // and this slot only after a rest.
    let path = member.folder.attempt().to_owned();
    let reason = format!("a checkpoint cannot be set aside: {error}; it was refused, for {message}");
    let fault = MachineFault::State { path, reason };
    Closed { outcome: release_for_machine(context, attempt, &fault.to_string()).await, fault: Some(fault) }
}
