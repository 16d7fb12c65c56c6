//! Commits an attempt's checkpoints: on this machine, and with the coordinator.

use std::convert::Infallible;
use std::io::{self, ErrorKind};

use acai_proto::v1::Attempt;

use super::hand_over::hand_over;
use super::shared::{ReportError, SharedReports};
use crate::backoff::Backoff;
use crate::client::{Client, Rejection, TransferError};
use crate::machine::disk::{is_full, on_disk};
use crate::run_folder::{Basis, Checkpoint, RunFolder};

/// The tasks of a reporter that commit checkpoints. Each takes those before which all points are acknowledged.
pub(super) struct Checkpoints<'a> {
    pub(super) attempt: Attempt,
    pub(super) folder: &'a RunFolder,
    pub(super) coordinator: &'a Client,
    pub(super) reports: &'a SharedReports,
}

impl Checkpoints<'_> {
    /// Commits each checkpoint on this machine. A checkpoint that cannot be committed costs only the time to train that
    /// stretch again, so it does not end the attempt.
    pub(super) async fn keep_all(&self) -> Infallible {
        loop {
            let (checkpoint, last_seq) = self.reports.find(|reports| reports.outbox.to_keep()).await;
            if let Err(error) = self.keep(&checkpoint, last_seq).await {
                let (run, step) = (self.attempt.run, checkpoint.step);
                tracing::warn!(run, step, "cannot keep a checkpoint here: {error}");
            }
            self.reports.change(|reports| reports.outbox.kept(&checkpoint));
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

    /// Commits checkpoints with the coordinator, from where another machine can resume; always the newest there is, for
    /// older ones are of no use then. A checkpoint that does not get there does not end the attempt either.
    pub(super) async fn hand_over_all(&self) -> ReportError {
        loop {
            let (checkpoint, last_seq) = self.reports.find(|reports| reports.outbox.to_hand_over()).await;
            let (run, step) = (self.attempt.run, checkpoint.step);
            match hand_over(self.coordinator, self.attempt, &checkpoint, last_seq).await {
                Ok(()) => {
                    tracing::debug!(run, step, "checkpoint committed");
                    let committed = (checkpoint.clone(), last_seq);
                    self.reports.change(|reports| reports.committed = Some(committed));
                }
                Err(TransferError::Rejected(Rejection::Fenced(_))) => return ReportError::Lost,
                // While the checkpoint was on its way, newer ones took its place on this machine.
                Err(TransferError::File { cause, .. }) if cause.kind() == ErrorKind::NotFound => {
                    tracing::debug!(run, step, "a checkpoint was overtaken");
                }
                Err(error) => tracing::warn!(run, step, "a checkpoint stays here: {error}"),
            }
            self.reports.change(|reports| reports.outbox.handed_over(&checkpoint));
        }
    }
}
