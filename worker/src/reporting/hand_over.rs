//! How the coordinator gets a checkpoint.

use acai_proto::v1::{Attempt, CommitCheckpointRequest};

use crate::client::{Client, Rejection, TransferError};
use crate::run_folder::Checkpoint;

/// Brings a checkpoint, before which points up to number `last_seq` came, to the coordinator and has it made what the
/// run resumes from; through outages.
pub(crate) async fn hand_over(
    coordinator: &Client,
    attempt: Attempt,
    checkpoint: &Checkpoint,
    last_seq: u64,
) -> Result<(), TransferError> {
    for is_last_try in [false, true] {
        let given = coordinator.blobs().upload(attempt, checkpoint.step, &checkpoint.file).await?;
        let request = CommitCheckpointRequest { attempt: Some(attempt), checkpoint: Some(given), last_seq };
        match coordinator.commit_checkpoint(request).await {
            // Another run's worker may just have found out that the blob is damaged; then it is sent again.
            Err(Rejection::Refused(_)) if !is_last_try => {}
            done => return Ok(done?),
        }
    }
    Ok(())
}
