//! What all groups of a worker share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::attempt::progress_watch::Limits;
use crate::client::Client;
use crate::leases::Leases;
use crate::reporting::Capacity;
use crate::state_folder::StateFolder;

/// Time to flush and hand runs back after the trainers' grace …
pub(crate) const FAREWELL: Duration = Duration::from_secs(4);
/// … of which uploads have this much: what they do not bring over by then costs time, not the run.
const LAST_UPLOADS: Duration = Duration::from_secs(2);

/// Handles and settings for training a group.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) coordinator: Client,
    pub(crate) leases: Arc<Leases>,
    pub(crate) trainer: PathBuf,
    pub(crate) data: Option<PathBuf>,
    pub(crate) state: StateFolder,
    pub(crate) grace: Duration,
    pub(crate) last_uploads: Duration,
    pub(crate) trainer_silence: Duration,
    pub(crate) trainer_progress: Limits,
    pub(crate) capacity: Capacity,
    pub(crate) stop: Stop,
    /// Whether a trainer has ever been ready here.
    pub(crate) has_started_trainers: AtomicBool,
}

impl Context {
    /// Resolves when a worker that was told to stop has to hand back what it has.
    pub(crate) async fn last_moment(&self) {
        sleep_until(self.stop.asked().await + self.grace + LAST_UPLOADS).await;
    }
}

/// The request to stop, and when it came.
#[derive(Debug, Default)]
pub(crate) struct Stop(watch::Sender<Option<Instant>>);

impl Stop {
    /// Asks; only the first time counts.
    pub(crate) fn ask(&self) {
        self.0.send_if_modified(|asked| asked.replace(Instant::now()).is_none());
    }

    /// Resolves when the worker is told to stop, with the time at which it was.
    pub(crate) async fn asked(&self) -> Instant {
        let asked = self.0.subscribe().wait_for(Option::is_some).await.ok().and_then(|asked| *asked);
        asked.unwrap_or_else(Instant::now)
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.borrow().is_some()
    }
}
