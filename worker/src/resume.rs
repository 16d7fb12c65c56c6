//! What an attempt goes on from: the newest checkpoint of its run, on this machine or with the coordinator.

use std::io;

use acai_proto::v1::{Assignment, Attempt, RejectCheckpointRequest};

use crate::blobs::TransferError;
use crate::checkpoints::RunFolder;
use crate::context::Context;
use crate::outbox::Checkpoint;
use crate::reporter::on_disk;

/// Finds the newest checkpoint that the run may resume from, and brings it here if need be. One that arrives damaged is
/// taken out of use, and the one before it tried. `None`: from scratch.
///
/// # Errors
/// The state folder of this machine.
pub(crate) async fn resume(
    context: &Context,
    folder: &RunFolder,
    attempt: Attempt,
    assignment: &Assignment,
) -> io::Result<Option<Checkpoint>> {
    let (own, void_attempts) = (folder.clone(), assignment.void_attempts);
    let local = on_disk(move || {
        own.void(void_attempts)?;
        Ok(own.resume())
    })
    .await?;
    let newer = |step| local.as_ref().is_none_or(|local| local.step < step);
    for remote in assignment.checkpoints.iter().filter(|remote| newer(remote.step)) {
        let checkpoint = Checkpoint { step: remote.step, file: folder.downloaded(remote.step) };
        let download = context.coordinator.blobs().download(remote, &checkpoint.file);
        let reason = tokio::select! {
            downloaded = download => match downloaded {
                Ok(()) => {
                    tracing::info!(run = attempt.run, step = remote.step, "resuming from the coordinator's checkpoint");
                    let (own, kept) = (folder.clone(), checkpoint.clone());
                    on_disk(move || own.commit(&kept)).await?;
                    return Ok(Some(checkpoint));
                }
                Err(TransferError::File { cause, .. }) => return Err(cause),
                Err(error) => error.to_string(),
            },
            // Whatever this comes to, it will not be trained here.
            () = context.leases.lost(attempt) => return Ok(local),
            _ = context.stop.asked() => return Ok(local),
        };
        tracing::warn!(run = attempt.run, step = remote.step, "not resuming from this checkpoint: {reason}");
        let request =
            RejectCheckpointRequest { attempt: Some(attempt), sha256: remote.sha256.clone(), reason };
        if let Err(rejection) = context.coordinator.reject_checkpoint(request).await {
            tracing::debug!(run = attempt.run, "the coordinator keeps it: {rejection}");
        }
    }
    Ok(local)
}
