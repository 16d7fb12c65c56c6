//! What a reporter and its tasks look at together.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acai_proto::v1::Point;
use tokio::sync::watch;

use super::outbox::{Outbox, spooled_bytes};
use crate::machine::disk::on_disk;
use crate::machine::process_identity::ProcessIdentity;
use crate::run_folder::Checkpoint;
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
    /// Roughly the bytes in the attempt's spool.
    pub(crate) bytes: usize,
}

/// What was reported and is not yet in the spool.
#[derive(Debug)]
pub(super) enum Report {
    Trainer(ProcessIdentity),
    Points(Vec<Point>),
    Checkpoint(Checkpoint),
    Final(FinalWord),
}

/// How far an attempt's reports have come.
#[derive(Debug)]
pub(super) struct Reports {
    capacity: Capacity,
    /// In the order in which they came.
    pub(super) unspooled: Vec<Report>,
    /// What has been spooled and may be sent.
    pub(super) outbox: Outbox,
    /// Why nothing more will be reported, once that is so.
    pub(super) ended: Option<ReportError>,
    /// Training has ended: all that is left is to deliver what was reported.
    pub(super) is_ending: bool,
    /// The last checkpoint that the coordinator has committed, with the number of the last point before it.
    pub(super) committed: Option<(Checkpoint, u64)>,
    /// Why the spool cannot be written, if that is for another reason than a lack of room.
    pub(super) spool_fault: Option<String>,
}

impl Reports {
    fn new(capacity: Capacity, outbox: Outbox) -> Self {
        Self {
            capacity,
            unspooled: Vec::new(),
            outbox,
            ended: None,
            is_ending: false,
            committed: None,
            spool_fault: None,
        }
    }

    /// Whether more points may come. One event's points may exceed the capacity.
    pub(super) fn has_room(&self) -> bool {
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
    pub(super) fn is_urgent(&self) -> bool {
        self.outbox.is_urgent() || !self.has_room()
    }

    /// Whether the coordinator has acknowledged all points.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.unspooled.is_empty() && self.outbox.is_acknowledged()
    }

    /// Whether the coordinator has acknowledged all points, and all checkpoints are committed.
    pub(super) fn is_flushed(&self) -> bool {
        self.unspooled.is_empty() && self.outbox.is_flushed()
    }

    /// How many points the coordinator has not acknowledged.
    pub(super) fn unacknowledged(&self) -> usize {
        let unspooled = self.unspooled.iter().map(|report| match report {
            Report::Points(points) => points.len(),
            _ => 0,
        });
        self.outbox.held().0 + unspooled.sum::<usize>()
    }
}

/// [`Reports`] for several tasks, each of which can wait for what another one does. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct SharedReports(Arc<watch::Sender<Reports>>);

impl SharedReports {
    pub(super) fn new(capacity: Capacity, outbox: Outbox) -> Self {
        Self(Arc::new(watch::Sender::new(Reports::new(capacity, outbox))))
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Reports) -> T) -> T {
        read(&self.0.borrow())
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Reports)) {
        self.0.send_modify(change);
    }

    /// Resolves with what `find` finds, as soon as there is something.
    pub(super) async fn find<T>(&self, find: impl Fn(&Reports) -> Option<T>) -> T {
        let mut changes = self.0.subscribe();
        loop {
            if let Some(found) = find(&changes.borrow_and_update()) {
                return found;
            }
            // `self` holds the sender, so waiting cannot end because there is none.
            let _ = changes.changed().await;
        }
    }
}

/// A spool for several tasks, of which one at a time blocks on the disk with it. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct SharedSpool(Arc<Mutex<Spool>>);

impl SharedSpool {
    pub(super) fn new(spool: Spool) -> Self {
        Self(Arc::new(Mutex::new(spool)))
    }

    pub(super) async fn with<T: Send + 'static>(
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
