//! How an attempt ends: everything acknowledged, then the last call.

use acai_proto::v1::{
    Attempt, CompleteRequest, FailRequest, FailureKind, ReleaseRequest, ReportMetricsRequest,
};
use tokio::time::sleep;

use crate::attempt::context::Context;
use crate::attempt::machine_fault::MachineFault;
use crate::attempt::member::{Ending, Member};
use crate::attempt::resume::reject;
use crate::client::Rejection;
use crate::client::{TransferError, digest};
use crate::machine::disk::on_disk;
use crate::reporting::ReportError;
use crate::reporting::hand_over;
use crate::spool::OwnFault;
use crate::summary::Outcome;
use crate::trainer::lines::cut;

/// Longest message of a failure that the protocol takes.
const MESSAGE_BYTES: usize = 4096;

/// Times that the last checkpoint is handed over again to a coordinator that has forgotten it.
const AGAIN: usize = 2;

/// An attempt that has ended.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) outcome: Outcome,
    /// What this machine could not do for its end; the slot rests.
    pub(crate) fault: Option<MachineFault>,
}

impl From<Outcome> for Closed {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, fault: None }
    }
}

/// Flushes and ends an attempt. Outages are waited out, and the lease is kept up meanwhile.
pub(crate) async fn close(context: &Context, member: Member, ending: Ending) -> Closed {
    let attempt = member.attempt;
    context.leases.settle(attempt);
    if let Some(word) = ending.final_word() {
        member.reporter.final_word(word);
    }
    finish(context, member, ending).await
}

/// Ends an attempt whose final word, if there was one, is in its spool.
pub(crate) async fn finish(context: &Context, member: Member, ending: Ending) -> Closed {
    let attempt = member.attempt;
    let closed = end(context, &member, ending).await;
    let outcome = closed.outcome;
    // Not earlier: if this agent is killed, the next one has to end the attempt.
    member.reporter.discard().await;
    context.leases.forget(attempt);
    tracing::info!(run = attempt.run, attempt = attempt.number, ?outcome, "attempt ended");
    closed
}

/// Ends an attempt that was never started, for a fault of this machine or none.
pub(crate) async fn hand_back(context: &Context, attempt: Attempt, fault: Option<String>) -> Outcome {
    context.leases.settle(attempt);
    let outcome = match fault {
        Some(message) => release_for(context, attempt, &message).await,
        None => release(context, attempt).await,
    };
    context.leases.forget(attempt);
    outcome
}

async fn end(context: &Context, member: &Member, ending: Ending) -> Closed {
    let (attempt, folder, reporter) = (member.attempt, member.folder.clone(), &member.reporter);
    let flushed = match ending {
        // Another machine goes on from the last checkpoint that came through, and this slot takes another run.
        Ending::Released | Ending::GroupFault { .. } | Ending::MachineFault(_) => tokio::select! {
            flushed = reporter.flush() => flushed,
            () = sleep(context.last_uploads) => reporter.flush_points().await,
            () = context.last_moment() => reporter.flush_points().await,
        },
        _ => reporter.flush().await,
    };
    let last_seq = match flushed {
        Ok(last_seq) => last_seq,
        Err(ReportError::Lost) => return Outcome::Lost.into(),
        Err(moved_back @ ReportError::MovedBack(_)) => {
            tracing::warn!(run = attempt.run, attempt = attempt.number, "giving the run back: {moved_back}");
            return release(context, attempt).await.into();
        }
        // What is here may be the best that there is of the run: it stays.
        Err(ReportError::Damaged(reason)) => {
            return fail(context, attempt, OwnFault::Error, &reason, 0).await.into();
        }
        Err(ReportError::Refused(reason)) => {
            // A later attempt must not build on a history that was never taken.
            keep_going("set the checkpoints aside", on_disk(move || folder.set_all_aside()).await);
            let message = format!("the coordinator refused the attempt's points: {reason}");
            return fail(context, attempt, OwnFault::Error, &message, 0).await.into();
        }
    };
    let outcome = match ending {
        Ending::Completed { step } => complete(context, member, step, last_seq).await,
        Ending::Failed { kind, message } => fail(context, attempt, kind, &message, last_seq).await,
        Ending::CheckpointRefused { message } => return refuse(context, member, &message).await,
        Ending::MachineFault(fault) => release_for(context, attempt, &fault.to_string()).await,
        // It would grant the same group again at once, and without end.
        Ending::GroupFault { message } if context.coordinator.peer().is_first_release() => {
            fail(context, attempt, OwnFault::Error, &message, last_seq).await
        }
        Ending::GroupFault { message } => {
            tracing::warn!(run = attempt.run, attempt = attempt.number, "its group's trainer: {message}");
            let group_fault = cut(&message, MESSAGE_BYTES).to_owned();
            let request = ReleaseRequest { attempt: Some(attempt), group_fault, ..ReleaseRequest::default() };
            told(context.coordinator.release(request).await, Outcome::Released)
        }
        Ending::Released => release(context, attempt).await,
    };
    outcome.into()
}

/// Says that all is trained. A coordinator whose database was restored from a backup may lack points, and then the run is
/// given back; or only the checkpoint that was committed last, which nobody but this attempt would bring again.
async fn complete(context: &Context, member: &Member, step: u64, last_seq: u64) -> Outcome {
    let (attempt, folder) = (member.attempt, member.folder.clone());
    let mut committed = member.reporter.committed();
    let mut again = 0;
    loop {
        let checkpoint_step = committed.as_ref().map_or(0, |(checkpoint, _)| checkpoint.step);
        let request = CompleteRequest { attempt: Some(attempt), step, last_seq, checkpoint_step };
        let reason = match context.coordinator.complete(request).await {
            Ok(()) => {
                keep_going("delete old checkpoints", on_disk(move || folder.keep_last(step)).await);
                return Outcome::Completed;
            }
            Err(Rejection::Fenced(_)) => return Outcome::Lost,
            Err(reason) => reason,
        };
        if matches!(reason, Rejection::Refused(_)) && has_moved_back(context, attempt, last_seq).await {
            return release_restored(context, attempt, &reason.to_string()).await;
        }
        let (Rejection::Refused(_), Some((checkpoint, after))) = (&reason, committed.take()) else {
            let message = format!("the coordinator refused the run's completion: {reason}");
            return fail(context, attempt, OwnFault::Error, &message, last_seq).await;
        };
        tracing::warn!(run = attempt.run, step = checkpoint.step, "handing it over again: {reason}");
        again += 1;
        match hand_over(&context.coordinator, attempt, &checkpoint, after).await {
            Ok(()) if again <= AGAIN => committed = Some((checkpoint, after)),
            Ok(()) => {}
            Err(TransferError::Rejected(Rejection::Fenced(_))) => return Outcome::Lost,
            Err(error) => tracing::warn!(run = attempt.run, "the last checkpoint stays here: {error}"),
        }
    }
}

/// Gives a run back whose trainer would not go on from its checkpoint, and takes that out of use.
async fn refuse(context: &Context, member: &Member, message: &str) -> Closed {
    let (attempt, folder) = (member.attempt, member.folder.clone());
    tracing::warn!(run = attempt.run, "not resuming from this checkpoint again: {message}");
    if let Some(checkpoint) = &member.resume
        && let Ok((sha256, _)) = digest(&checkpoint.file).await
    {
        reject(context, attempt, sha256, message, false).await;
    }
    let Err(error) = on_disk(move || folder.set_aside()).await else {
        return release(context, attempt).await.into();
    };
    // The run would meet it here again: others may have it, and this slot only after a rest.
    let path = member.folder.attempt().to_owned();
    let reason = format!("a checkpoint cannot be set aside: {error}; it was refused, for {message}");
    let fault = MachineFault::State { path, reason };
    Closed { outcome: release_for(context, attempt, &fault.to_string()).await, fault: Some(fault) }
}

/// Whether the coordinator's database lacks points that it had acknowledged, up to number `last_seq`.
async fn has_moved_back(context: &Context, attempt: Attempt, last_seq: u64) -> bool {
    let nothing = ReportMetricsRequest {
        attempt: Some(attempt),
        first_seq: last_seq + 1,
        ..ReportMetricsRequest::default()
    };
    context.coordinator.report(nothing).await.is_ok_and(|answer| answer.acked_seq < last_seq)
}

/// Ends an attempt by the run's own fault; points up to number `last_seq` were acknowledged.
async fn fail(context: &Context, attempt: Attempt, kind: OwnFault, message: &str, last_seq: u64) -> Outcome {
    let kind = match kind {
        OwnFault::Diverged => FailureKind::Diverged,
        OwnFault::Error => FailureKind::Error,
    };
    tracing::warn!(run = attempt.run, attempt = attempt.number, "failed: {message}");
    let message = cut(message, MESSAGE_BYTES).to_owned();
    let request = FailRequest { attempt: Some(attempt), kind: kind.into(), message, last_seq };
    match context.coordinator.fail(request).await {
        Err(Rejection::Refused(reason)) if has_moved_back(context, attempt, last_seq).await => {
            release_restored(context, attempt, &reason).await
        }
        answer => told(answer, Outcome::Failed),
    }
}

/// Gives a run back whose points are gone.
async fn release_restored(context: &Context, attempt: Attempt, reason: &str) -> Outcome {
    tracing::warn!(
        run = attempt.run,
        attempt = attempt.number,
        "giving the run back, since the coordinator's database was restored from a backup: {reason}"
    );
    release(context, attempt).await
}

async fn release(context: &Context, attempt: Attempt) -> Outcome {
    let request = ReleaseRequest { attempt: Some(attempt), ..ReleaseRequest::default() };
    told(context.coordinator.release(request).await, Outcome::Released)
}

/// Gives a run back that this machine cannot train.
async fn release_for(context: &Context, attempt: Attempt, fault: &str) -> Outcome {
    tracing::warn!(run = attempt.run, attempt = attempt.number, "this machine cannot train it: {fault}");
    let machine_fault = cut(fault, MESSAGE_BYTES).to_owned();
    let request = ReleaseRequest { attempt: Some(attempt), machine_fault, ..ReleaseRequest::default() };
    told(context.coordinator.release(request).await, Outcome::Released)
}

/// An attempt whose end the coordinator does not take is one that ends with its lease.
fn told(answer: Result<(), Rejection>, outcome: Outcome) -> Outcome {
    match answer {
        Ok(()) => outcome,
        Err(Rejection::Fenced(_)) => Outcome::Lost,
        Err(reason @ (Rejection::Refused(_) | Rejection::Damaged(_))) => {
            tracing::warn!("the coordinator refused an attempt's end: {reason}");
            Outcome::Lost
        }
    }
}

/// Housekeeping that may fail without touching the result.
fn keep_going(what: &str, done: std::io::Result<()>) {
    if let Err(error) = done {
        tracing::warn!("cannot {what}: {error}");
    }
}
