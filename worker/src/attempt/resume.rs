//! What an attempt goes on from: the newest checkpoint of its run, on this machine or with the coordinator.

use std::io;

use acai_proto::v1::{Assignment, Attempt, RejectCheckpointRequest};

use crate::attempt::context::Context;
use crate::client::TransferError;
use crate::machine::disk::on_disk;
use crate::run_folder::Checkpoint;
use crate::run_folder::{Basis, RunFolder};
use crate::trainer::lines::cut;

/// Finds the newest checkpoint that the run may resume from, and brings it here if need be. Of one that arrives damaged
/// the coordinator is told, which looks at its own copy; it, or one that is not to be had, has the one before it tried.
/// `None`: from scratch.
///
/// # Errors
/// The state folder of this machine.
pub(crate) async fn resume(
    context: &Context,
    folder: &RunFolder,
    attempt: Attempt,
    assignment: &Assignment,
) -> io::Result<Option<Checkpoint>> {
    let (own, granted) = (folder.clone(), assignment.clone());
    let local = on_disk(move || {
        own.void(granted.void_attempts)?;
        own.resumable(&granted)
    })
    .await?;
    let newer = |step| local.as_ref().is_none_or(|local| local.step < step);
    for remote in assignment.checkpoints.iter().filter(|remote| newer(remote.step)) {
        let checkpoint = Checkpoint { step: remote.step, file: folder.downloaded(remote.step) };
        let download = context.coordinator.blobs().download(remote, &checkpoint.file);
        let error = tokio::select! {
            downloaded = download => match downloaded {
                Ok(()) => {
                    tracing::info!(run = attempt.run, step = remote.step, "resuming from the coordinator's checkpoint");
                    let (own, kept) = (folder.clone(), checkpoint.clone());
                    // The grant of this attempt vouches for it.
                    let basis = Basis::new(attempt, 0);
                    on_disk(move || own.commit(&kept, basis)).await?;
                    return Ok(Some(checkpoint));
                }
                Err(TransferError::File { cause, .. }) => return Err(cause),
                Err(error) => error,
            },
            // Whatever this comes to, it will not be trained here.
            () = context.leases.lost(attempt) => return Ok(local),
            () = context.leases.yielding(attempt) => return Ok(local),
            _ = context.stop.asked() => return Ok(local),
        };
        tracing::warn!(run = attempt.run, step = remote.step, "not resuming from this checkpoint: {error}");
        if matches!(error, TransferError::Damaged) {
            reject(context, attempt, remote.sha256.clone(), &error.to_string(), true).await;
        }
    }
    Ok(local)
}

/// Longest reason that the protocol takes.
const REASON_BYTES: usize = 4096;

/// Has the coordinator not grant this checkpoint again, if it has it; one that is `damaged`, if its copy is as well.
pub(crate) async fn reject(context: &Context, attempt: Attempt, sha256: String, reason: &str, damaged: bool) {
    let reason = cut(reason, REASON_BYTES).to_owned();
    let request = RejectCheckpointRequest { attempt: Some(attempt), sha256, reason, damaged };
    if let Err(rejection) = context.coordinator.reject_checkpoint(request).await {
        tracing::debug!(run = attempt.run, "the coordinator keeps it: {rejection}");
    }
}
