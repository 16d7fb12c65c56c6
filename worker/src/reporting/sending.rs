//! Sends what an attempt has spooled, in order, until all of it is acknowledged.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1::{Attempt, ReportMetricsRequest};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::client::TransferError;
use crate::client::{CallError, Client, Rejection};
use crate::machine::disk::{is_full, on_disk};
use crate::reporting::hand_over::hand_over;
use crate::reporting::outbox::{BadAck, Batch};
use crate::reporting::reporter::{ReportError, Shared};
use crate::run_folder::Checkpoint;
use crate::run_folder::{Basis, RunFolder};

/// How long news may wait for more to share a call with.
const GATHER: Duration = Duration::from_secs(1);

/// The sending side of a reporter.
pub(crate) struct Sending<'a> {
    pub(crate) attempt: Attempt,
    pub(crate) folder: &'a RunFolder,
    pub(crate) coordinator: Client,
    pub(crate) shared: &'a Arc<watch::Sender<Shared>>,
}

impl Sending<'_> {
    /// Reports, keeps and hands over side by side: an upload that takes long, or never ends, holds up neither points nor
    /// what this machine resumes from.
    pub(crate) async fn run(&self) -> ReportError {
        tokio::select! {
            error = self.report() => error,
            never = self.keep_all() => match never {},
            error = self.hand_over_all() => error,
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
            Err(CallError::Rejected(damaged @ Rejection::Damaged(_))) => {
                return Err(ReportError::Damaged(damaged.to_string()));
            }
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

    /// Commits the checkpoints that wait for nothing any more on this machine. One that cannot be costs only the time to
    /// train that stretch again, so it does not end the attempt.
    async fn keep_all(&self) -> Infallible {
        loop {
            self.wait_for(|shared| shared.outbox.to_keep().is_some()).await;
            let due =
                self.shared.borrow().outbox.to_keep().map(|(checkpoint, seq)| (checkpoint.clone(), seq));
            let Some((checkpoint, last_seq)) = due else { continue };
            if let Err(error) = self.keep(&checkpoint, last_seq).await {
                let (run, step) = (self.attempt.run, checkpoint.step);
                tracing::warn!(run, step, "cannot keep a checkpoint here: {error}");
            }
            self.shared.send_modify(|shared| shared.outbox.kept(&checkpoint));
        }
    }

    /// Commits them with the coordinator, from where another machine can resume; the newest there is, for an older one is
    /// of no use then. One that does not get there does not end the attempt either.
    async fn hand_over_all(&self) -> ReportError {
        loop {
            self.wait_for(|shared| shared.outbox.to_hand_over().is_some()).await;
            let due =
                self.shared.borrow().outbox.to_hand_over().map(|(checkpoint, seq)| (checkpoint.clone(), seq));
            let Some((checkpoint, last_seq)) = due else { continue };
            let (run, step) = (self.attempt.run, checkpoint.step);
            match hand_over(&self.coordinator, self.attempt, &checkpoint, last_seq).await {
                Ok(()) => {
                    tracing::debug!(run, step, "checkpoint committed");
                    let committed = (checkpoint.clone(), last_seq);
                    self.shared.send_modify(|shared| shared.committed = Some(committed));
                }
                Err(TransferError::Rejected(Rejection::Fenced(_))) => return ReportError::Lost,
                // While it was on its way newer ones took its place here.
                Err(TransferError::File { cause, .. }) if cause.kind() == ErrorKind::NotFound => {
                    tracing::debug!(run, step, "a checkpoint was overtaken");
                }
                Err(error) => tracing::warn!(run, step, "a checkpoint stays here: {error}"),
            }
            self.shared.send_modify(|shared| shared.outbox.handed_over(&checkpoint));
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

    async fn wait_for(&self, condition: impl Fn(&Shared) -> bool) {
        // `self` holds the sender, so waiting cannot end for want of one.
        let _ = self.shared.subscribe().wait_for(|shared| condition(shared)).await;
    }
}
