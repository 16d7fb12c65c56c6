//! The last call of an attempt, by which it fails or its run is given back.

use acai_proto::v1::{Attempt, FailRequest, FailureKind, ReleaseRequest, ReportMetricsRequest};

use super::context::Context;
use crate::client::{Rejection, truncated};
use crate::spool::OwnFault;
use crate::summary::Outcome;

/// Ends an attempt by the run's own fault; points up to number `last_seq` were acknowledged.
pub(super) async fn fail(
    context: &Context,
    attempt: Attempt,
    kind: OwnFault,
    message: &str,
    last_seq: u64,
) -> Outcome {
    let kind = match kind {
        OwnFault::Diverged => FailureKind::Diverged,
        OwnFault::Error => FailureKind::Error,
    };
    tracing::warn!(id = attempt.run, attempt = attempt.number, "failed: {message}");
    let message = truncated(message);
    let request = FailRequest { attempt: Some(attempt), kind: kind.into(), message, last_seq };
    match context.coordinator.fail(request).await {
        Err(Rejection::Refused(reason)) if has_moved_back(context, attempt, last_seq).await => {
            release_restored(context, attempt, &reason).await
        }
        answer => outcome(answer, Outcome::Failed),
    }
}

/// Gives a run back, and charges it with nothing.
pub(super) async fn release(context: &Context, attempt: Attempt) -> Outcome {
    let request = ReleaseRequest { attempt: Some(attempt), ..ReleaseRequest::default() };
    outcome(context.coordinator.release(request).await, Outcome::Released)
}

/// Gives a run back that this machine cannot train.
pub(super) async fn release_for_machine(context: &Context, attempt: Attempt, fault: &str) -> Outcome {
    tracing::warn!(id = attempt.run, attempt = attempt.number, "this machine cannot train it: {fault}");
    let machine_fault = truncated(fault);
    let request = ReleaseRequest { attempt: Some(attempt), machine_fault, ..ReleaseRequest::default() };
    outcome(context.coordinator.release(request).await, Outcome::Released)
}

/// Gives a run back whose group's trainer broke down.
pub(super) async fn release_for_group(context: &Context, attempt: Attempt, fault: &str) -> Outcome {
    tracing::warn!(id = attempt.run, attempt = attempt.number, "its group's trainer: {fault}");
    let group_fault = truncated(fault);
    let request = ReleaseRequest { attempt: Some(attempt), group_fault, ..ReleaseRequest::default() };
    outcome(context.coordinator.release(request).await, Outcome::Released)
}

/// Gives a run back whose points the coordinator has lost.
pub(super) async fn release_restored(context: &Context, attempt: Attempt, reason: &str) -> Outcome {
    tracing::warn!(
        id = attempt.run,
        attempt = attempt.number,
        "giving the run back, since the coordinator's database was restored from a backup: {reason}"
    );
    release(context, attempt).await
}

/// Whether the coordinator's database lacks points that it had acknowledged, up to number `last_seq`.
pub(super) async fn has_moved_back(context: &Context, attempt: Attempt, last_seq: u64) -> bool {
    let nothing = ReportMetricsRequest {
        attempt: Some(attempt),
        first_seq: last_seq + 1,
        ..ReportMetricsRequest::default()
    };
    context.coordinator.report(nothing).await.is_ok_and(|answer| answer.acked_seq < last_seq)
}

/// The outcome of an attempt whose last call was answered so: `taken`, if the coordinator took the end. Otherwise the
/// attempt ends with its lease.
fn outcome(answer: Result<(), Rejection>, taken: Outcome) -> Outcome {
    match answer {
        Ok(()) => taken,
        Err(Rejection::Fenced(_)) => Outcome::Lost,
        Err(reason @ (Rejection::Refused(_) | Rejection::Damaged(_))) => {
            tracing::warn!("the coordinator refused an attempt's end: {reason}");
            Outcome::Lost
        }
    }
}
