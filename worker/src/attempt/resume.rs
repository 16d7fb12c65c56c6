//! What an attempt goes on from: the newest checkpoint of its run, on this machine or with the coordinator.

use std::io;

use acai_proto::v1::{Assignment, Attempt, RejectCheckpointRequest};

use super::context::Context;
use crate::client::{TransferError, truncated};
use crate::machine::disk::on_disk;
use crate::run_folder::Checkpoint;
use crate::run_folder::{Basis, RunFolder};

/// Finds the newest checkpoint that the run may resume from, and brings it to this machine if it is not here. The
/// coordinator is told of a checkpoint that arrives damaged, and looks at its own copy. After that one, or one that is
/// not to be had, the one before it is tried. `None`: the run starts from scratch.
///
/// # Errors
/// The state folder of this machine cannot be used.
pub(super) async fn resume(
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
        let downloaded = tokio::select! {
            downloaded = context.coordinator.blobs().download(remote, &checkpoint.file) => downloaded,
            // The run will not be trained here, so it does not matter what it would resume from.
            () = context.leases.lost(attempt) => return Ok(local),
            () = context.leases.yielding(attempt) => return Ok(local),
            _ = context.stop.asked() => return Ok(local),
        };
        let error = match downloaded {
            Ok(()) => return take_up(folder, attempt, checkpoint).await.map(Some),
            Err(TransferError::File { cause, .. }) => return Err(cause),
            Err(error) => error,
        };
        tracing::warn!(id = attempt.run, step = remote.step, "not resuming from this checkpoint: {error}");
        if matches!(error, TransferError::Damaged) {
            reject(context, attempt, remote.sha256.clone(), &error.to_string(), true).await;
        }
    }
    Ok(local)
}

/// Commits the coordinator's checkpoint on this machine.
async fn take_up(folder: &RunFolder, attempt: Attempt, checkpoint: Checkpoint) -> io::Result<Checkpoint> {
    tracing::info!(id = attempt.run, step = checkpoint.step, "resuming from the coordinator's checkpoint");
    let (own, kept) = (folder.clone(), checkpoint.clone());
    // The database holds what the checkpoint relies on, since it granted the checkpoint to this attempt.
    let basis = Basis::new(attempt, 0);
    on_disk(move || own.commit(&kept, basis)).await?;
    Ok(checkpoint)
}

/// Has the coordinator not grant this checkpoint again, if it has the checkpoint; when it arrived here `damaged`, only
/// if the coordinator's own copy is damaged too.
pub(super) async fn reject(context: &Context, attempt: Attempt, sha256: String, reason: &str, damaged: bool) {
    let reason = truncated(reason);
    let request = RejectCheckpointRequest { attempt: Some(attempt), sha256, reason, damaged };
    if let Err(rejection) = context.coordinator.reject_checkpoint(request).await {
        tracing::debug!(id = attempt.run, "the coordinator keeps the checkpoint: {rejection}");
    }
}
