//! How an attempt ends: everything acknowledged, then the last call.

use acai_proto::v1::{
    Attempt, CompleteRequest, FailRequest, FailureKind, ReleaseRequest, ReportMetricsRequest,
};
use acai_sweep::trainer_protocol;
use tokio::time::sleep;

use crate::blobs::digest;
use crate::context::Context;
use crate::coordinator::Rejection;
use crate::lines::cut;
use crate::member::{Ending, Member};
use crate::reporter::{ReportError, on_disk};
use crate::resume::reject;
use crate::summary::Outcome;

/// Longest message of a failure that the protocol takes.
const MESSAGE_BYTES: usize = 4096;

/// Flushes and ends an attempt. Outages are waited out, and the lease is kept up meanwhile.
pub(crate) async fn close(context: &Context, member: Member, ending: Ending) -> Outcome {
    let attempt = member.attempt;
    context.leases.settle(attempt);
    if let Some(word) = ending.final_word() {
        member.reporter.final_word(word);
    }
    finish(context, member, ending).await
}

/// Ends an attempt whose final word, if there was one, is in its spool.
pub(crate) async fn finish(context: &Context, member: Member, ending: Ending) -> Outcome {
    let attempt = member.attempt;
    let outcome = end(context, &member, ending).await;
    // Not earlier: if this agent is killed, the next one has to end the attempt.
    member.reporter.discard().await;
    context.leases.forget(attempt);
    tracing::info!(run = attempt.run, attempt = attempt.number, ?outcome, "attempt ended");
    outcome
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

async fn end(context: &Context, member: &Member, ending: Ending) -> Outcome {
    let (attempt, folder, reporter) = (member.attempt, member.folder.clone(), &member.reporter);
    let flushed = match ending {
        // Another machine goes on from the last checkpoint that came through, and this slot takes another run.
        Ending::Released | Ending::GroupFault { .. } | Ending::MachineFault { .. } => tokio::select! {
            flushed = reporter.flush() => flushed,
            () = sleep(context.last_uploads) => reporter.flush_points().await,
            () = context.last_moment() => reporter.flush_points().await,
        },
        _ => reporter.flush().await,
    };
    let last_seq = match flushed {
        Ok(last_seq) => last_seq,
        Err(ReportError::Lost) => return Outcome::Lost,
        Err(moved_back @ ReportError::MovedBack(_)) => {
            tracing::warn!(run = attempt.run, attempt = attempt.number, "giving the run back: {moved_back}");
            return release(context, attempt).await;
        }
        // What is here may be the best that there is of the run: it stays.
        Err(ReportError::Damaged(reason)) => {
            return fail(context, attempt, FailureKind::Error, &reason).await;
        }
        Err(ReportError::Refused(reason)) => {
            // A later attempt must not build on a history that was never taken.
            keep_going("set the checkpoints aside", on_disk(move || folder.set_all_aside()).await);
            let message = format!("the coordinator refused the attempt's points: {reason}");
            return fail(context, attempt, FailureKind::Error, &message).await;
        }
    };
    match ending {
        Ending::Completed { step } => {
            let request = CompleteRequest { attempt: Some(attempt), step, last_seq };
            match context.coordinator.complete(request).await {
                Ok(()) => {
                    keep_going("delete old checkpoints", on_disk(move || folder.keep_last(step)).await);
                    Outcome::Completed
                }
                Err(Rejection::Fenced(_)) => Outcome::Lost,
                Err(Rejection::Refused(reason)) if has_moved_back(context, attempt, last_seq).await => {
                    tracing::warn!(
                        run = attempt.run,
                        attempt = attempt.number,
                        "giving the run back, since the coordinator's database was restored from a backup: {reason}"
                    );
                    release(context, attempt).await
                }
                Err(reason @ (Rejection::Refused(_) | Rejection::Damaged(_))) => {
                    let message = format!("the coordinator refused the run's completion: {reason}");
                    fail(context, attempt, FailureKind::Error, &message).await
                }
            }
        }
        Ending::Failed { kind, message } => {
            let kind = match kind {
                trainer_protocol::FailureKind::Diverged => FailureKind::Diverged,
                trainer_protocol::FailureKind::Checkpoint
                | trainer_protocol::FailureKind::Machine
                | trainer_protocol::FailureKind::Error => FailureKind::Error,
            };
            fail(context, attempt, kind, &message).await
        }
        Ending::CheckpointRefused { message } => {
            tracing::warn!(run = attempt.run, "not resuming from this checkpoint again: {message}");
            if let Some(checkpoint) = &member.resume
                && let Ok((sha256, _)) = digest(&checkpoint.file).await
            {
                reject(context, attempt, sha256, &message, false).await;
            }
            match on_disk(move || folder.set_aside()).await {
                Ok(()) => release(context, attempt).await,
                // It would be resumed from again, without end; a failure is counted.
                Err(error) => {
                    let message = format!("{message} (and that checkpoint cannot be set aside: {error})");
                    fail(context, attempt, FailureKind::Error, &message).await
                }
            }
        }
        Ending::MachineFault { message } => release_for(context, attempt, &message).await,
        // It would grant the same group again at once, and without end.
        Ending::GroupFault { message } if context.coordinator.peer().is_first_release() => {
            fail(context, attempt, FailureKind::Error, &message).await
        }
        Ending::GroupFault { message } => {
            tracing::warn!(run = attempt.run, attempt = attempt.number, "its group's trainer: {message}");
            let group_fault = cut(&message, MESSAGE_BYTES).to_owned();
            let request = ReleaseRequest { attempt: Some(attempt), group_fault, ..ReleaseRequest::default() };
            told(context.coordinator.release(request).await, Outcome::Released)
        }
        Ending::Released => release(context, attempt).await,
    }
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

async fn fail(context: &Context, attempt: Attempt, kind: FailureKind, message: &str) -> Outcome {
    tracing::warn!(run = attempt.run, attempt = attempt.number, "failed: {message}");
    let message = cut(message, MESSAGE_BYTES).to_owned();
    let request = FailRequest { attempt: Some(attempt), kind: kind.into(), message };
    told(context.coordinator.fail(request).await, Outcome::Failed)
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
