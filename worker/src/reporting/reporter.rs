//! An attempt's reporter: takes reports in, and says how far they have come.

use std::sync::Arc;

use acai_proto::v1::{Attempt, Point};
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::checkpoints::Checkpoints;
use super::outbox::Outbox;
use super::sending::Sending;
use super::shared::{Capacity, Report, ReportError, Reports, SharedReports, SharedSpool};
use super::spooling::Spooling;
use crate::client::Client;
use crate::leases::Leases;
use crate::machine::process_identity::ProcessIdentity;
use crate::run_folder::{Checkpoint, RunFolder};
use crate::spool::{FinalWord, Spool};

/// One attempt's reporter. Dropping it ends the sending, whether or not everything is acknowledged; the spool stays for
/// the next agent unless it is discarded.
#[derive(Debug)]
pub(crate) struct Reporter {
    attempt: Attempt,
    reports: SharedReports,
    spool: SharedSpool,
    tasks: JoinHandle<()>,
}

impl Reporter {
    /// Starts to report for `attempt`, beginning with what `outbox` has from `spool`.
    pub(crate) fn start(
        attempt: Attempt,
        folder: RunFolder,
        (spool, outbox): (Spool, Outbox),
        capacity: Capacity,
        coordinator: Client,
        leases: Arc<Leases>,
    ) -> Self {
        let reports = SharedReports::new(capacity, outbox);
        let spool = SharedSpool::new(spool);
        let (shared, spooled) = (reports.clone(), spool.clone());
        let reporting = async move {
            let spooling = Spooling { attempt, folder: &folder, spool: &spooled, reports: &shared };
            let sending = Sending { attempt, coordinator: &coordinator, reports: &shared };
            let checkpoints =
                Checkpoints { attempt, folder: &folder, coordinator: &coordinator, reports: &shared };
            // Side by side: an upload that takes long, or never ends, holds up neither points nor what this machine
            // resumes from.
            let error = tokio::select! {
                () = leases.lost(attempt) => ReportError::Lost,
                error = sending.run() => error,
                never = checkpoints.keep_all() => match never {},
                error = checkpoints.hand_over_all() => error,
                never = spooling.run() => match never {},
            };
            tracing::debug!(id = attempt.run, attempt = attempt.number, "reporting ends: {error}");
            if matches!(error, ReportError::Lost) {
                leases.forget(attempt);
            }
            shared.change(|reports| reports.ended = Some(error));
        };
        Self { attempt, reports, spool, tasks: tokio::spawn(reporting.in_current_span()) }
    }

    /// Resolves when there is room for more points. Whoever adds points waits here first, and so hands the pace of a
    /// slow coordinator or a full disk on to the trainer.
    pub(crate) async fn room(&self) -> Result<(), ReportError> {
        self.until(Reports::has_room).await
    }

    /// Why reports are not written into the spool any more, if they are not: then waiting for room does not help.
    pub(crate) fn spool_fault(&self) -> Option<String> {
        self.reports.read(|reports| reports.spool_fault.clone())
    }

    /// Appends points, in the order of their numbers.
    pub(crate) fn points(&self, points: impl IntoIterator<Item = Point>) {
        self.report(Report::Points(points.into_iter().collect()));
    }

    /// Training has reached `step`.
    pub(crate) fn progress(&self, step: u64) {
        self.reports.change(|reports| reports.outbox.progress(step));
    }

    /// The step that training has reached.
    pub(crate) fn step(&self) -> u64 {
        self.reports.read(|reports| reports.outbox.step())
    }

    /// Commits the checkpoint when everything before it is acknowledged.
    pub(crate) fn checkpoint(&self, checkpoint: Checkpoint) {
        self.report(Report::Checkpoint(checkpoint));
    }

    /// The process that trains the attempt, to be told before the process reports anything.
    pub(crate) fn trainer(&self, identity: ProcessIdentity) {
        self.report(Report::Trainer(identity));
    }

    /// How training ended; nothing may be reported afterwards.
    pub(crate) fn final_word(&self, word: FinalWord) {
        self.report(Report::Final(word));
    }

    /// The last checkpoint that the coordinator has committed, with the number of the last point before it.
    pub(crate) fn committed(&self) -> Option<(Checkpoint, u64)> {
        self.reports.read(|reports| reports.committed.clone())
    }

    /// Resolves with the number of the last point when all points are acknowledged and all checkpoints committed.
    pub(crate) async fn flush(&self) -> Result<u64, ReportError> {
        self.hurry_until(Reports::is_flushed).await
    }

    /// As [`Self::flush`], but waits for no checkpoint.
    pub(crate) async fn flush_points(&self) -> Result<u64, ReportError> {
        self.hurry_until(Reports::is_acknowledged).await
    }

    async fn hurry_until(&self, condition: impl Fn(&Reports) -> bool) -> Result<u64, ReportError> {
        self.reports.change(|reports| {
            reports.is_ending = true;
            reports.outbox.hurry();
        });
        self.until(condition).await?;
        Ok(self.reports.read(|reports| reports.outbox.last_seq()))
    }

    /// Ends the sending and deletes the spool: the attempt has ended, or lost its run.
    pub(crate) async fn discard(self) {
        self.tasks.abort();
        let Attempt { run, number, .. } = self.attempt;
        let points = self.reports.read(Reports::unacknowledged);
        if points > 0 {
            tracing::info!(run, attempt = number, points, "discarding what was not acknowledged");
        }
        if let Err(error) = self.spool.with(Spool::delete).await {
            tracing::warn!(
                run,
                attempt = number,
                "cannot delete a spool that is of no use any more: {error}"
            );
        }
    }

    fn report(&self, report: Report) {
        self.reports.change(|reports| reports.unspooled.push(report));
    }

    async fn until(&self, condition: impl Fn(&Reports) -> bool) -> Result<(), ReportError> {
        let outcome = |reports: &Reports| match &reports.ended {
            Some(error) => Some(Err(error.clone())),
            None => condition(reports).then_some(Ok(())),
        };
        self.reports.find(outcome).await
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.tasks.abort();
    }
}
