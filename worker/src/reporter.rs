//! Sends what an attempt has to report, in order, until all of it is acknowledged.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1::{Attempt, Point, ReportMetricsRequest};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::checkpoints::RunFolder;
use crate::coordinator::{CallError, Coordinator, Rejection};
use crate::leases::Leases;
use crate::outbox::{Batch, Checkpoint, Outbox};

/// How long news may wait for more to share a call with.
const GATHER: Duration = Duration::from_secs(1);

/// Why nothing more will be reported.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ReportError {
    /// The attempt no longer holds its run.
    #[error("the attempt no longer holds its run")]
    Lost,
    /// The coordinator will not take these points, now or later.
    #[error("{0}")]
    Refused(String),
}

#[derive(Debug, Default)]
struct Shared {
    outbox: Outbox,
    ended: Option<ReportError>,
}

/// One attempt's reporter. Dropping it ends the sending, acknowledged or not.
#[derive(Debug)]
pub(crate) struct Reporter {
    shared: Arc<watch::Sender<Shared>>,
    sender: JoinHandle<()>,
}

impl Reporter {
    /// Starts to report for `attempt`, holding at most about `capacity` unacknowledged points.
    pub(crate) fn start(
        attempt: Attempt,
        folder: RunFolder,
        capacity: usize,
        coordinator: Coordinator,
        leases: Arc<Leases>,
    ) -> Self {
        let shared = Arc::new(watch::Sender::new(Shared { outbox: Outbox::new(capacity), ended: None }));
        let sending = Sending { attempt, folder, coordinator, shared: Arc::clone(&shared) };
        let sender = tokio::spawn(async move {
            let error = tokio::select! {
                () = leases.lost(attempt) => ReportError::Lost,
                error = sending.run() => error,
            };
            tracing::debug!(run = attempt.run, attempt = attempt.number, "reporting ends: {error}");
            if matches!(error, ReportError::Lost) {
                leases.forget(attempt);
            }
            sending.shared.send_replace(Shared { ended: Some(error), ..Shared::default() });
        });
        Self { shared, sender }
    }

    /// Resolves when there is room for more points. Whoever adds points waits here first, and so
    /// hands a slow coordinator's pace on to the trainer.
    pub(crate) async fn room(&self) -> Result<(), ReportError> {
        self.until(Outbox::has_room).await
    }

    /// Appends points, in the order of their numbers.
    pub(crate) fn points(&self, points: impl IntoIterator<Item = Point>) {
        self.shared.send_modify(|shared| shared.outbox.push(points));
    }

    /// Training has reached `step`.
    pub(crate) fn progress(&self, step: u64) {
        self.shared.send_modify(|shared| shared.outbox.progress(step));
    }

    /// Commits the checkpoint when everything before it is acknowledged.
    pub(crate) fn checkpoint(&self, checkpoint: Checkpoint) {
        self.shared.send_modify(|shared| shared.outbox.push_checkpoint(checkpoint));
    }

    /// Resolves with the number of the last point when all points are acknowledged and all
    /// checkpoints committed.
    pub(crate) async fn flush(&self) -> Result<u64, ReportError> {
        self.shared.send_modify(|shared| shared.outbox.hurry());
        self.until(Outbox::is_flushed).await?;
        Ok(self.shared.borrow().outbox.last_seq())
    }

    async fn until(&self, condition: impl Fn(&Outbox) -> bool) -> Result<(), ReportError> {
        let mut changes = self.shared.subscribe();
        let reached = changes.wait_for(|shared| shared.ended.is_some() || condition(&shared.outbox)).await;
        // `self` holds the sender, so waiting cannot end for want of one.
        reached.map_or(Err(ReportError::Lost), |shared| shared.ended.clone().map_or(Ok(()), Err))
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.sender.abort();
    }
}

/// The sending side.
struct Sending {
    attempt: Attempt,
    folder: RunFolder,
    coordinator: Coordinator,
    shared: Arc<watch::Sender<Shared>>,
}

impl Sending {
    async fn run(&self) -> ReportError {
        let mut backoff = Backoff::default();
        loop {
            self.wait_for(Outbox::has_work).await;
            self.commit_due().await;
            if !self.shared.borrow().outbox.has_news() {
                continue;
            }
            // Past the second, whatever there is goes out.
            let _ = timeout(GATHER, self.wait_for(Outbox::is_urgent)).await;
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

    async fn wait_for(&self, condition: impl Fn(&Outbox) -> bool) {
        // `self` holds the sender, so waiting cannot end for want of one.
        let _ = self.shared.subscribe().wait_for(|shared| condition(&shared.outbox)).await;
    }
}

/// Runs what blocks on the disk where it may.
pub(crate) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
