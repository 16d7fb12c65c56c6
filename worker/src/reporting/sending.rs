//! Sends the points of an attempt that have been spooled, in order, until all of them are acknowledged.

use std::time::Duration;

use acai_proto::v1::{Attempt, ReportMetricsRequest};
use tokio::time::timeout;

use super::outbox::{BadAck, Batch};
use super::shared::{ReportError, Reports, SharedReports};
use crate::backoff::Backoff;
use crate::client::{CallError, Client, Rejection};

/// How long news may wait for more to share a call with.
const GATHER: Duration = Duration::from_secs(1);

/// The task of a reporter that sends points.
pub(super) struct Sending<'a> {
    pub(super) attempt: Attempt,
    pub(super) coordinator: &'a Client,
    pub(super) reports: &'a SharedReports,
}

impl Sending<'_> {
    pub(super) async fn run(&self) -> ReportError {
        let mut backoff = Backoff::default();
        loop {
            self.reports.find(|reports| reports.outbox.has_news().then_some(())).await;
            // After this time the news goes out whether or not more has come.
            let urgent = |reports: &Reports| reports.is_urgent().then_some(());
            let _ = timeout(GATHER, self.reports.find(urgent)).await;
            let batch = self.reports.read(|reports| reports.outbox.batch());
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
            Err(CallError::Unavailable(reason) | CallError::Denied(reason)) => {
                tracing::debug!(id = self.attempt.run, "cannot report ({reason}); trying again");
                return Ok(false);
            }
        };
        let mut taken = Ok(());
        self.reports.change(|reports| taken = reports.outbox.acknowledge(&batch, answered));
        taken.map_err(|error| match error {
            BadAck::MovedBack { .. } => ReportError::MovedBack(error.to_string()),
            BadAck::Invented { .. } => ReportError::Refused(error.to_string()),
        })?;
        Ok(batch.points.is_empty() || answered >= batch.first_seq)
    }
}
