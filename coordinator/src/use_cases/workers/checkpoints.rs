//! Checkpoints: that one is complete, and that one is of no use.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::WorkerCalls;
use crate::run_name::run_name;
use crate::store::{AttemptRef, Checkpoint};
use crate::use_cases::Result;

/// A worker waits this long for what a look at a checkpoint comes to: less than its call may take. The look goes on.
const INSPECTION: Duration = Duration::from_secs(5);

/// A checkpoint that a worker cannot use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedCheckpoint {
    /// Of its bytes.
    pub sha256: String,
    /// Why, for people.
    pub reason: String,
    /// The bytes that arrived have another SHA-256. If not, a trainer refused them.
    pub is_damaged: bool,
}

impl WorkerCalls {
    /// Makes an uploaded checkpoint the place to resume from.
    ///
    /// # Errors
    /// The store's: among them, that points up to number `last_seq` are not durable yet.
    pub async fn commit_checkpoint(
        &self,
        attempt: AttemptRef,
        checkpoint: Checkpoint,
        last_seq: u64,
    ) -> Result<()> {
        let step = checkpoint.step;
        self.store.checkpoint_commit(attempt, checkpoint, last_seq).await?;
        tracing::debug!(id = %attempt.run, attempt = attempt.number, step, "checkpoint committed");
        Ok(())
    }

    /// Takes a checkpoint out of use that a trainer refused. One that arrived damaged is taken out of use only if the
    /// coordinator's own copy is damaged too.
    ///
    /// # Errors
    /// The store's.
    pub async fn reject_checkpoint(&self, attempt: AttemptRef, rejected: RejectedCheckpoint) -> Result<()> {
        let RejectedCheckpoint { sha256, reason, is_damaged } = rejected;
        if is_damaged {
            self.store.attempt_check(attempt).await?;
            self.inspect(sha256, reason).await;
            return Ok(());
        }
        self.store.checkpoint_reject(attempt, sha256.clone(), reason.clone()).await?;
        let run = run_name(&*self.store, attempt.run).await;
        tracing::warn!(%run, id = %attempt.run, attempt = attempt.number, sha256, reason, "checkpoint rejected");
        Ok(())
    }

    /// Looks at the coordinator's own copy, and waits a while for what comes of it.
    async fn inspect(&self, sha256: String, reason: String) {
        let (store, blobs) = (Arc::clone(&self.store), Arc::clone(&self.blobs));
        let Some(inspection) = self.inspections.start(store, blobs, sha256, reason) else { return };
        if let Ok(Err(error)) = timeout(INSPECTION, inspection).await {
            tracing::error!(%error, "a look at a checkpoint broke down");
        }
    }
}
