//! What all groups of a worker share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::time::sleep_until;

use super::group_size::Sizing;
use super::progress_watch::Limits;
use super::stop::Stop;
use super::vacancies::Vacancies;
use crate::artifacts::Artifacts;
use crate::client::Client;
use crate::leases::Leases;
use crate::metrics::Metrics;
use crate::reporting::Capacity;
use crate::state_folder::StateFolder;
use crate::trainer::Launcher;

/// Time to flush and hand runs back after the trainers' grace.
pub(crate) const FAREWELL: Duration = Duration::from_secs(4);
/// The part of [`FAREWELL`] that uploads have: a checkpoint that has not arrived by then costs training time, not the
/// run.
pub(crate) const LAST_UPLOADS: Duration = Duration::from_secs(2);

/// Handles and settings for training a group.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) coordinator: Client,
    pub(crate) artifacts: Artifacts,
    pub(crate) leases: Arc<Leases>,
    pub(crate) launcher: Arc<dyn Launcher>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) any_folder: bool,
    pub(crate) state: StateFolder,
    pub(crate) grace: Duration,
    pub(crate) last_uploads: Duration,
    pub(crate) trainer_idle: Duration,
    pub(crate) trainer_silence: Duration,
    pub(crate) trainer_progress: Limits,
    pub(crate) capacity: Capacity,
    pub(crate) stop: Stop,
    /// How many runs a group has.
    pub(crate) sizing: Sizing,
    /// Places for further runs in the groups that train.
    pub(crate) vacancies: Vacancies,
    /// Whether a trainer has ever been ready since this worker was started.
    pub(crate) has_started_trainers: AtomicBool,
    pub(crate) metrics: Metrics,
}

impl Context {
    /// Resolves when a worker that was told to stop has to hand back its runs at the latest.
    pub(crate) async fn last_moment(&self) {
        sleep_until(self.stop.asked().await + self.grace + LAST_UPLOADS).await;
    }
}
