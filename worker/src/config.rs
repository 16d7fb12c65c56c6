use std::path::PathBuf;
use std::time::Duration;

use crate::devices::DeviceChoice;

/// What a worker is told by its user. [`WorkerConfig::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Address of the coordinator, such as `http://host:7070`.
    pub coordinator: String,
    /// Name for people; the host's name when absent.
    pub name: Option<String>,
    /// Kind of device to train on.
    pub device: DeviceChoice,
    /// How many groups to train at once; one per GPU, or else per core, when absent.
    pub slots: Option<u32>,
    /// Most runs of one shape to train as one group, at least 1.
    pub group_size: u32,
    /// Folder with the datasets' files.
    pub data: Option<PathBuf>,
    /// Folder of this worker's own files: checkpoints, and trained models.
    pub state: PathBuf,
    /// The trainer program; searched for when absent (see [`crate::locate`]).
    pub trainer: Option<PathBuf>,
    /// Ends the worker when it has had nothing to do for this long; never when absent.
    pub idle_timeout: Option<Duration>,
    /// How long trainers may take to checkpoint when the worker is told to stop.
    pub grace: Duration,
    /// A trainer that reports nothing for this long hangs and is killed.
    pub trainer_silence: Duration,
    /// Most points an attempt holds unacknowledged; then its trainer has to wait. About 100 bytes
    /// each, so the default of 100,000 takes 10 MB.
    pub queue_points: usize,
}

impl WorkerConfig {
    /// Trains on whatever this machine has, until told to stop.
    #[must_use]
    pub fn new(coordinator: impl Into<String>, state: impl Into<PathBuf>) -> Self {
        Self {
            coordinator: coordinator.into(),
            name: None,
            device: DeviceChoice::Auto,
            slots: None,
            group_size: 1,
            data: None,
            state: state.into(),
            trainer: None,
            idle_timeout: None,
            grace: Duration::from_secs(20),
            trainer_silence: Duration::from_secs(15 * 60),
            queue_points: 100_000,
        }
    }
}
