//! Writes what an attempt reported into its spool, and only then lets it be sent.

use std::convert::Infallible;
use std::sync::Arc;

use acai_proto::v1::Attempt;
use tokio::sync::watch;

use crate::backoff::Backoff;
use crate::machine::disk::is_full;
use crate::reporting::reporter::{Report, Shared, SharedSpool};
use crate::run_folder::RunFolder;
use crate::spool::{Record, Settled};

/// The writing side of a reporter.
pub(crate) struct Spooling<'a> {
    pub(crate) attempt: Attempt,
    pub(crate) folder: &'a RunFolder,
    pub(crate) spool: &'a SharedSpool,
    pub(crate) shared: &'a Arc<watch::Sender<Shared>>,
}

impl Spooling<'_> {
    /// What came while the last write was under way goes into the next one together.
    ///
    /// A spool that cannot be written holds up training, not the end of an attempt: then, or where it is not room that it
    /// lacks, what was reported is sent from memory, and an agent that is killed now has this stretch trained again.
    pub(crate) async fn run(&self) -> Infallible {
        let mut trimmed = Settled::default();
        let mut is_written = true;
        loop {
            // `self` holds the sender, so waiting cannot end for want of one.
            let _ = self
                .shared
                .subscribe()
                .wait_for(|shared| !shared.unspooled.is_empty() || shared.outbox.settled() != trimmed)
                .await;
            trimmed = self.shared.borrow().outbox.settled();
            let records = self.records();
            let count = records.len();
            if is_written {
                self.trim(trimmed).await;
                // Never again after a gap: points in a spool are numbered by their order.
                is_written = records.is_empty() || self.append(records).await;
            }
            self.hand_on(count);
        }
    }

    /// A spool that cannot be trimmed is only longer than it could be.
    async fn trim(&self, settled: Settled) {
        if let Err(error) = self.spool.with(move |spool| spool.trim(settled)).await {
            tracing::debug!(run = self.attempt.run, "cannot shorten the spool: {error}");
        }
    }

    /// Tries until it succeeds: on a full disk training waits, as soon as its queue is full too. False when that is of no
    /// use, or training has ended.
    async fn append(&self, records: Vec<Record>) -> bool {
        let Attempt { run, number, .. } = self.attempt;
        let records = Arc::new(records);
        let mut backoff = Backoff::default();
        let mut failed = false;
        loop {
            let wanted = Arc::clone(&records);
            match self.spool.with(move |spool| spool.append(&wanted)).await {
                Ok(()) => break,
                Err(error) if !is_full(&error) => {
                    tracing::warn!(
                        run,
                        attempt = number,
                        "cannot write the spool, doing without it: {error}"
                    );
                    self.shared.send_modify(|shared| shared.spool_fault = Some(error.to_string()));
                    return false;
                }
                Err(error) if self.shared.borrow().is_ending => {
                    tracing::warn!(run, attempt = number, "no room for the end of the spool: {error}");
                    return false;
                }
                Err(error) if !failed => {
                    failed = true;
                    tracing::warn!(
                        run,
                        attempt = number,
                        "cannot write the spool ({error}); trying again until there is room, training may have to wait"
                    );
                }
                Err(_) => {}
            }
            backoff.pause().await;
            // What has been acknowledged meanwhile may make room.
            let settled = self.shared.borrow().outbox.settled();
            let _ = self.spool.with(move |spool| spool.shorten(settled)).await;
        }
        if failed {
            tracing::info!(run, attempt = number, "the spool can be written again; going on");
        }
        true
    }

    /// Lets the first `count` reports be sent.
    fn hand_on(&self, count: usize) {
        if count == 0 {
            return;
        }
        self.shared.send_modify(|shared| {
            for report in shared.unspooled.drain(..count) {
                match report {
                    Report::Points(points) => shared.outbox.push(points),
                    Report::Checkpoint(checkpoint) => shared.outbox.push_checkpoint(checkpoint),
                    Report::Trainer(_) | Report::Final(_) => {}
                }
            }
        });
    }

    /// What is not yet in the spool, with the numbers that its points get.
    fn records(&self) -> Vec<Record> {
        let shared = self.shared.borrow();
        let mut last = shared.outbox.last_seq();
        let record = |report: &Report| match report {
            Report::Trainer(identity) => Record::Trainer(identity.clone()),
            Report::Points(points) => {
                let first = last + 1;
                last += points.len() as u64;
                let point = |point: &acai_proto::v1::Point| (point.name.clone(), point.step, point.value);
                Record::Points { first, points: points.iter().map(point).collect() }
            }
            Report::Checkpoint(checkpoint) => Record::Checkpoint {
                step: checkpoint.step,
                file: self.folder.relative(&checkpoint.file),
                after: last,
            },
            Report::Final(word) => Record::Final { last, word: word.clone() },
        };
        shared.unspooled.iter().map(record).collect()
    }
}
