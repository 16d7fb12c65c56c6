//! Writes what an attempt reported into its spool, and only then lets it be sent.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use acai_proto::v1::{Attempt, Point};

use super::shared::{Report, SharedReports, SharedSpool};
use crate::backoff::Backoff;
use crate::machine::disk::is_full;
use crate::run_folder::RunFolder;
use crate::spool::{Record, Settled};

/// The task of a reporter that writes the spool.
pub(super) struct Spooling<'a> {
    pub(super) attempt: Attempt,
    pub(super) folder: &'a RunFolder,
    pub(super) spool: &'a SharedSpool,
    pub(super) reports: &'a SharedReports,
}

impl Spooling<'_> {
    /// Writes whatever came during the last write with the next one.
    ///
    /// A spool that cannot be written holds up training, not the end of an attempt. When training has ended, or the
    /// spool lacks something other than room, reports are sent from memory; if the agent is killed then, this stretch
    /// is trained again.
    pub(super) async fn run(&self) -> Infallible {
        let mut trimmed = Settled::default();
        let mut is_written = true;
        loop {
            trimmed = self.news(trimmed).await;
            let records = self.records();
            let count = records.len();
            if is_written {
                self.trim(trimmed).await;
                // After a gap the spool is never written again: its points are numbered by their order.
                is_written = records.is_empty() || self.append(records).await;
            }
            self.hand_on(count);
        }
    }

    /// Resolves when there is something to spool, or more is settled than `trimmed`; with what is settled.
    async fn news(&self, trimmed: Settled) -> Settled {
        let news = |settled, has_reports| (has_reports || settled != trimmed).then_some(settled);
        self.reports.find(|reports| news(reports.outbox.settled(), !reports.unspooled.is_empty())).await
    }

    /// Has the spool forget what is settled. A failure is no harm: the spool is only longer than it could be.
    async fn trim(&self, settled: Settled) {
        if let Err(error) = self.spool.with(move |spool| spool.trim(settled)).await {
            tracing::debug!(id = self.attempt.run, "cannot shorten the spool: {error}");
        }
    }

    /// Tries until the records are written: on a full disk training waits, as soon as its queue is full too. False when
    /// more tries are of no use, or training has ended.
    async fn append(&self, records: Vec<Record>) -> bool {
        let Attempt { run, number, .. } = self.attempt;
        let records = Arc::new(records);
        let mut backoff = Backoff::default();
        let mut is_said = false;
        loop {
            let wanted = Arc::clone(&records);
            let Err(error) = self.spool.with(move |spool| spool.append(&wanted)).await else { break };
            if self.does_without_the_spool(&error) {
                return false;
            }
            if !std::mem::replace(&mut is_said, true) {
                tracing::warn!(
                    run,
                    attempt = number,
                    "cannot write the spool ({error}); trying again until there is room, training may have to wait"
                );
            }
            backoff.pause().await;
            // What has been acknowledged meanwhile may make room.
            let settled = self.reports.read(|reports| reports.outbox.settled());
            let _ = self.spool.with(move |spool| spool.shorten(settled)).await;
        }
        if is_said {
            tracing::info!(run, attempt = number, "the spool can be written again; going on");
        }
        true
    }

    /// Whether the attempt goes on without a spool after this error, and does not wait for room.
    fn does_without_the_spool(&self, error: &io::Error) -> bool {
        let Attempt { run, number, .. } = self.attempt;
        if !is_full(error) {
            tracing::warn!(run, attempt = number, "cannot write the spool, doing without it: {error}");
            self.reports.change(|reports| reports.spool_fault = Some(error.to_string()));
            return true;
        }
        let is_ending = self.reports.read(|reports| reports.is_ending);
        if is_ending {
            tracing::warn!(run, attempt = number, "no room for the end of the spool: {error}");
        }
        is_ending
    }

    /// Lets the first `count` reports be sent.
    fn hand_on(&self, count: usize) {
        if count == 0 {
            return;
        }
        self.reports.change(|reports| {
            for report in reports.unspooled.drain(..count) {
                match report {
                    Report::Points(points) => reports.outbox.push(points),
                    Report::Checkpoint(checkpoint) => reports.outbox.push_checkpoint(checkpoint),
                    Report::Trainer(_) | Report::Final(_) => {}
                }
            }
        });
    }

    /// What is not yet in the spool, with the numbers that its points get.
    fn records(&self) -> Vec<Record> {
        self.reports.read(|reports| {
            let mut last = reports.outbox.last_seq();
            reports.unspooled.iter().map(|report| self.record(report, &mut last)).collect()
        })
    }

    /// The record of one report; `last` is the number of the last point so far.
    fn record(&self, report: &Report, last: &mut u64) -> Record {
        match report {
            Report::Trainer(identity) => Record::Trainer(identity.clone()),
            Report::Points(points) => {
                let first = *last + 1;
                *last += points.len() as u64;
                let point = |point: &Point| (point.name.clone(), point.step, point.value);
                Record::Points { first, points: points.iter().map(point).collect() }
            }
            Report::Checkpoint(checkpoint) => Record::Checkpoint {
                step: checkpoint.step,
                file: self.folder.relative(&checkpoint.file),
                after: *last,
            },
            Report::Final(word) => Record::Final { last: *last, word: word.clone() },
        }
    }
}
