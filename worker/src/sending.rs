//! Sends what an attempt has spooled, in order, until all of it is acknowledged.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1::{Attempt, CommitCheckpointRequest, ReportMetricsRequest};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::blobs::TransferError;
use crate::checkpoints::{Basis, RunFolder};
use crate::coordinator::{CallError, Coordinator, Rejection};
use crate::outbox::{BadAck, Batch, Checkpoint};
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
    /// Reports and commits side by side: an upload that takes long holds no points up.
    pub(crate) async fn run(&self) -> ReportError {
        tokio::select! {
            error = self.report() => error,
            error = self.commit() => error,
        }
    }

    async fn report(&self) -> ReportError {
        let mut backoff = Backoff::default();
        loop {
            self.wait_for(|shared| shared.outbox.has_news()).await;
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
        taken.map_err(|error| match error {
            BadAck::MovedBack { .. } => ReportError::MovedBack(error.to_string()),
            BadAck::Invented { .. } => ReportError::Refused(error.to_string()),
        })?;
        Ok(batch.points.is_empty() || answered >= batch.first_seq)
    }

    /// Commits the checkpoints that wait for nothing any more: on this machine, and with the coordinator, from where
    /// another machine can resume. One that can be committed at neither place costs only the time to train that stretch
    /// again, so it does not end the attempt.
    async fn commit(&self) -> ReportError {
        loop {
            self.wait_for(|shared| shared.outbox.due_checkpoint().is_some()).await;
            let Some((last_seq, checkpoint)) = self.shared.borrow().outbox.due_checkpoint().cloned() else {
                continue;
            };
            let step = checkpoint.step;
            let hand_over = async {
                if self.shared.borrow().outbox.is_overtaken() {
                    return Ok(());
                }
                self.hand_over(&checkpoint, last_seq).await
            };
            let (kept, handed_over) = tokio::join!(self.keep(&checkpoint, last_seq), hand_over);
            if let Err(error) = kept {
                tracing::warn!(run = self.attempt.run, step, "cannot keep a checkpoint here: {error}");
            }
            match handed_over {
                Ok(()) => tracing::debug!(run = self.attempt.run, step, "checkpoint committed"),
                Err(TransferError::Rejected(Rejection::Fenced(_))) => return ReportError::Lost,
                Err(error) => {
                    tracing::warn!(run = self.attempt.run, step, "a checkpoint stays here: {error}");
                }
            }
            self.shared.send_modify(|shared| shared.outbox.pop_checkpoint());
        }
    }

    /// Makes a checkpoint what this machine resumes from; on a full disk as soon as there is room.
    async fn keep(&self, checkpoint: &Checkpoint, last_seq: u64) -> io::Result<()> {
        let basis = Basis::new(self.attempt, last_seq);
        let mut backoff = Backoff::default();
        let mut is_said = false;
        loop {
            let (folder, own) = (self.folder.clone(), checkpoint.clone());
            match on_disk(move || folder.commit(&own, basis)).await {
                Err(error) if is_full(&error) => {
                    if !std::mem::replace(&mut is_said, true) {
                        let (run, step) = (self.attempt.run, checkpoint.step);
                        tracing::warn!(run, step, "cannot keep a checkpoint here yet: {error}");
                    }
                    backoff.pause().await;
                }
                done => return done,
            }
        }
    }

    /// Brings a checkpoint to the coordinator and has it made what the run resumes from; through outages.
    async fn hand_over(&self, checkpoint: &Checkpoint, last_seq: u64) -> Result<(), TransferError> {
        let attempt = self.attempt;
        let given = self.coordinator.blobs().upload(attempt, checkpoint.step, &checkpoint.file).await?;
        let request = CommitCheckpointRequest { attempt: Some(attempt), checkpoint: Some(given), last_seq };
        Ok(self.coordinator.commit_checkpoint(request).await?)
    }

    async fn wait_for(&self, condition: impl Fn(&Shared) -> bool) {
        // `self` holds the sender, so waiting cannot end for want of one.
        let _ = self.shared.subscribe().wait_for(|shared| condition(shared)).await;
    }
}

/// Whether there was no room: on the disk, in a quota, or for a file of this length.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}
