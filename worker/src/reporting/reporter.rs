//! What an attempt has to report, on its way: spooled, then sent, until all of it is acknowledged.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acai_proto::v1::{Attempt, Point};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::leases::Leases;
use crate::machine::disk::on_disk;
use crate::machine::process_identity::ProcessIdentity;
use crate::reporting::outbox::{Outbox, spooled_bytes};
use crate::reporting::sending::Sending;
use crate::reporting::spooling::Spooling;
use crate::run_folder::Checkpoint;
use crate::run_folder::RunFolder;
use crate::spool::{FinalWord, Spool};

/// Why nothing more will be reported.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ReportError {
    /// The attempt no longer holds its run.
    #[error("the attempt no longer holds its run")]
    Lost,
    /// The coordinator's database was restored from a backup and lacks what it had acknowledged: the attempt cannot go
    /// on, and a later one trains again what is missing.
    #[error("{0}; its database was restored from a backup")]
    MovedBack(String),
    /// The coordinator will not take these points, now or later.
    #[error("{0}")]
    Refused(String),
    /// What the coordinator has of the run cannot be read: nobody can go on with it before people have repaired that.
    #[error("{0}")]
    Damaged(String),
}

/// Bounds on what an attempt holds unacknowledged. Beyond any of them its trainer has to wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    pub(crate) points: usize,
    /// In its spool, about.
    pub(crate) bytes: usize,
}

/// What was reported and is not yet in the spool.
#[derive(Debug)]
pub(crate) enum Report {
    Trainer(ProcessIdentity),
    Points(Vec<Point>),
    Checkpoint(Checkpoint),
    Final(FinalWord),
}

/// What the two sides of a reporter share.
#[derive(Debug)]
pub(crate) struct Shared {
    capacity: Capacity,
    /// In the order in which it came.
    pub(crate) unspooled: Vec<Report>,
    /// What has been spooled and may be sent.
    pub(crate) outbox: Outbox,
    ended: Option<ReportError>,
    /// Training has ended: all that is left is to deliver what was reported.
    pub(crate) is_ending: bool,
    /// The last checkpoint that the coordinator has committed, with the number of the last point before it.
    pub(crate) committed: Option<(Checkpoint, u64)>,
    /// Why the spool cannot be written, and not for want of room.
    pub(crate) spool_fault: Option<String>,
}

impl Shared {
    /// Whether more points may come. One event's points may exceed the capacity.
    fn has_room(&self) -> bool {
        let (mut points, mut bytes) = self.outbox.held();
        for report in &self.unspooled {
            if let Report::Points(more) = report {
                points += more.len();
                bytes += more.iter().map(spooled_bytes).sum::<usize>();
            }
        }
        points < self.capacity.points.max(1) && bytes < self.capacity.bytes.max(1)
    }

    /// Whether sending should not wait for more.
    pub(crate) fn is_urgent(&self) -> bool {
        self.outbox.is_urgent() || !self.has_room()
    }

    fn is_acknowledged(&self) -> bool {
        self.unspooled.is_empty() && self.outbox.is_acknowledged()
    }

    fn is_flushed(&self) -> bool {
        self.unspooled.is_empty() && self.outbox.is_flushed()
    }

    fn unacknowledged(&self) -> usize {
        let unspooled = self.unspooled.iter().map(|report| match report {
            Report::Points(points) => points.len(),
            _ => 0,
        });
        self.outbox.held().0 + unspooled.sum::<usize>()
    }
}

/// A spool for several tasks, of which one at a time blocks on the disk with it.
#[derive(Debug, Clone)]
pub(crate) struct SharedSpool(Arc<Mutex<Spool>>);

impl SharedSpool {
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Spool) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let spool = Arc::clone(&self.0);
        on_disk(move || {
            let mut spool: MutexGuard<'_, Spool> = spool.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut spool)
        })
        .await
    }
}

/// One attempt's reporter. Dropping it ends the sending, acknowledged or not; the spool stays for the
/// next agent unless it is discarded.
#[derive(Debug)]
pub(crate) struct Reporter {
    attempt: Attempt,
    shared: Arc<watch::Sender<Shared>>,
    spool: SharedSpool,
    sender: JoinHandle<()>,
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
        let shared = Arc::new(watch::Sender::new(Shared {
            capacity,
            unspooled: Vec::new(),
            outbox,
            ended: None,
            is_ending: false,
            committed: None,
            spool_fault: None,
        }));
        let spool = SharedSpool(Arc::new(Mutex::new(spool)));
        let (own, spooled) = (Arc::clone(&shared), spool.clone());
        let sender = tokio::spawn(async move {
            let spooling = Spooling { attempt, folder: &folder, spool: &spooled, shared: &own };
            let sending = Sending { attempt, folder: &folder, coordinator, shared: &own };
            let error = tokio::select! {
                () = leases.lost(attempt) => ReportError::Lost,
                error = sending.run() => error,
                never = spooling.run() => match never {},
            };
            tracing::debug!(run = attempt.run, attempt = attempt.number, "reporting ends: {error}");
            if matches!(error, ReportError::Lost) {
                leases.forget(attempt);
            }
            own.send_modify(|shared| shared.ended = Some(error));
        });
        Self { attempt, shared, spool, sender }
    }

    /// Resolves when there is room for more points. Whoever adds points waits here first, and so
    /// hands the pace of a slow coordinator or a full disk on to the trainer.
    pub(crate) async fn room(&self) -> Result<(), ReportError> {
        self.until(Shared::has_room).await
    }

    /// Why what was reported is not written down any more, if it is not; room would not help.
    pub(crate) fn spool_fault(&self) -> Option<String> {
        self.shared.borrow().spool_fault.clone()
    }

    /// Appends points, in the order of their numbers.
    pub(crate) fn points(&self, points: impl IntoIterator<Item = Point>) {
        self.report(Report::Points(points.into_iter().collect()));
    }

    /// Training has reached `step`.
    pub(crate) fn progress(&self, step: u64) {
        self.shared.send_modify(|shared| shared.outbox.progress(step));
    }

    /// Commits the checkpoint when everything before it is acknowledged.
    pub(crate) fn checkpoint(&self, checkpoint: Checkpoint) {
        self.report(Report::Checkpoint(checkpoint));
    }

    /// Who trains the attempt, before it reports anything.
    pub(crate) fn trainer(&self, identity: ProcessIdentity) {
        self.report(Report::Trainer(identity));
    }

    /// How training ended; nothing comes after it.
    pub(crate) fn final_word(&self, word: FinalWord) {
        self.report(Report::Final(word));
    }

    /// The last checkpoint that the coordinator has committed, with the number of the last point before it.
    pub(crate) fn committed(&self) -> Option<(Checkpoint, u64)> {
        self.shared.borrow().committed.clone()
    }

    /// Resolves with the number of the last point when all points are acknowledged and all
    /// checkpoints committed.
    pub(crate) async fn flush(&self) -> Result<u64, ReportError> {
        self.hurry_until(Shared::is_flushed).await
    }

    /// As [`Self::flush`], but waits for no checkpoint.
    pub(crate) async fn flush_points(&self) -> Result<u64, ReportError> {
        self.hurry_until(Shared::is_acknowledged).await
    }

    async fn hurry_until(&self, condition: impl Fn(&Shared) -> bool) -> Result<u64, ReportError> {
        self.shared.send_modify(|shared| {
            shared.is_ending = true;
            shared.outbox.hurry();
        });
        self.until(condition).await?;
        Ok(self.shared.borrow().outbox.last_seq())
    }

    /// Ends the sending and deletes the spool: the attempt has ended, or lost its run.
    pub(crate) async fn discard(self) {
        self.sender.abort();
        let Attempt { run, number, .. } = self.attempt;
        let points = self.shared.borrow().unacknowledged();
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
        self.shared.send_modify(|shared| shared.unspooled.push(report));
    }

    async fn until(&self, condition: impl Fn(&Shared) -> bool) -> Result<(), ReportError> {
        let mut changes = self.shared.subscribe();
        let reached = changes.wait_for(|shared| shared.ended.is_some() || condition(shared)).await;
        // `self` holds the sender, so waiting cannot end for want of one.
        reached.map_or(Err(ReportError::Lost), |shared| shared.ended.clone().map_or(Ok(()), Err))
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.sender.abort();
    }
}
