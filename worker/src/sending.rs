//! Sends what an attempt has spooled, in order, until all of it is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1::{Attempt, ReportMetricsRequest};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::checkpoints::RunFolder;
use crate::coordinator::{CallError, Coordinator, Rejection};
use crate::outbox::Batch;
use crate::reporter::{ReportError, Shared, on_disk};

/// How long news may wait for more to share a call with.
const GATHER: Duration = Duration::from_secs(1);

/// The sending side of a reporter.
pub(crate) struct Sending<'a> {
    pub(crate) attempt: Attempt,
    pub(crate) folder: &'a RunFolder,
    pub(crate) coordinator: Coordinator,
    pub(crate) shared: &'a Arc<watch::Sender<Shared>>,
}

impl Sending<'_> {
    pub(crate) async fn run(&self) -> ReportError {
        let mut backoff = Backoff::default();
        loop {
            self.wait_for(|shared| shared.outbox.has_work()).await;
            self.commit_due().await;
            if !self.shared.borrow().outbox.has_news() {
                continue;
            }
            // Past the second, whatever there is goes out.
            let _ = timeout(GATHER, self.wait_for(Shared::is_urgent)).await;
            let batch = self.shared.borrow().outbox.batch();
            match self.send(batch).await {
                Ok(true) => backoff.reset(),
                Ok(false) => backoff.pause().await,
                Err(error) => return error,
            }
        }
    }

    /// Whether the batch brought the attempt forward.
    async fn send(&self, batch: Batch) -> Result<bool, ReportError> {
        let request = ReportMetricsRequest {
            attempt: Some(self.attempt),
            first_seq: batch.first_seq,
            points: batch.points.clone(),
            step: batch.step,
        };
        let answered = match self.coordinator.report(request).await {
            Ok(answer) => answer.acked_seq,
            Err(CallError::Rejected(Rejection::Fenced(_))) => return Err(ReportError::Lost),
            Err(CallError::Rejected(Rejection::Refused(reason))) => return Err(ReportError::Refused(reason)),
            Err(CallError::Unavailable(reason)) => {
                tracing::debug!(run = self.attempt.run, "cannot report ({reason}); trying again");
                return Ok(false);
            }
        };
        let mut taken = Ok(());
        self.shared.send_modify(|shared| taken = shared.outbox.acknowledge(&batch, answered));
        taken.map_err(|error| ReportError::Refused(error.to_string()))?;
        Ok(batch.points.is_empty() || answered >= batch.first_seq)
    }

    /// Commits the checkpoints that wait for nothing any more. One that cannot be committed costs
    /// only the time to train that stretch again, so it does not end the attempt.
    async fn commit_due(&self) {
        loop {
            let Some(checkpoint) = self.shared.borrow().outbox.due_checkpoint().cloned() else { return };
            let (folder, step) = (self.folder.clone(), checkpoint.step);
            match on_disk(move || folder.commit(&checkpoint)).await {
                Ok(()) => tracing::debug!(run = self.attempt.run, step, "checkpoint committed"),
                Err(error) => {
                    tracing::warn!(run = self.attempt.run, step, "cannot commit a checkpoint: {error}");
                }
            }
            self.shared.send_modify(|shared| shared.outbox.pop_checkpoint());
        }
    }

    async fn wait_for(&self, condition: impl Fn(&Shared) -> bool) {
        // `self` holds the sender, so waiting cannot end for want of one.
        let _ = self.shared.subscribe().wait_for(|shared| condition(shared)).await;
    }
}
