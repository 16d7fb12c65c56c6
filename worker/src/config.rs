use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use acai_access::AccessFile;
use acai_proto::v1::Hardware;
use tokio::time::Instant;

use crate::client::Network;
use crate::machine::devices::DeviceChoice;
use crate::metrics::Metrics;
use crate::trainer::Launcher;

/// How many runs of one shape are trained as one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupSize {
    /// So many at the most; 0 is taken for 1.
    Runs(u32),
    /// One on the CPU. On GPUs as many as are found to pay for the shape, while groups of it train.
    Auto,
}

/// What a worker does before somebody else ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimit {
    /// From then on nothing is claimed.
    pub claims_until: Instant,
    /// Then runs are given back.
    pub hand_back_at: Instant,
}

impl TimeLimit {
    /// For so long before its end a worker claims nothing: a run that begins then is not worth its start.
    pub const NO_MORE_CLAIMS: Duration = Duration::from_secs(120);
    /// So long before its end a worker begins to give its runs back.
    pub const HAND_BACK: Duration = Duration::from_secs(60);

    /// Of a worker that begins now and is ended after so long; none where the clock does not go as far.
    #[must_use]
    pub fn after(limit: Duration) -> Option<TimeLimit> {
        let at = |before| Instant::now().checked_add(limit.saturating_sub(before));
        Some(TimeLimit { claims_until: at(Self::NO_MORE_CLAIMS)?, hand_back_at: at(Self::HAND_BACK)? })
    }
}

/// What a worker is told by its user. [`WorkerConfig::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// How the coordinator is reached.
    pub coordinator: AccessFile,
    /// How connections to it are opened.
    pub network: Network,
    /// The access file that this is from, in which another token may appear; not looked at again when absent.
    pub access_file: Option<PathBuf>,
    /// Name for people; the host's name when absent.
    pub name: Option<String>,
    /// What this machine has; looked up when absent.
    pub hardware: Option<Hardware>,
    /// Kind of device to train on.
    pub device: DeviceChoice,
    /// How many groups to train at once; one per GPU, or else per core, when absent.
    pub slots: Option<u32>,
    /// Threads of a CPU operation in each slot; its share of the cores when absent.
    pub threads: Option<u32>,
    /// Most runs of one shape to train as one group.
    pub group_size: GroupSize,
    /// Folder with the datasets' files.
    pub data: Option<PathBuf>,
    /// Trains on `images:PATH` also where that leads out of the folder of datasets, to whatever this user can read.
    pub any_folder: bool,
    /// Folder of this worker's own files: checkpoints, trained models, and reports that are still to be delivered. One
    /// worker at a time can use it.
    pub state: PathBuf,
    /// Uses the state folder although it is a copy of another worker's. Attempts that were under way there are left to
    /// their leases.
    pub adopt: bool,
    /// The trainer program; searched for when absent (see [`crate::locate`]).
    pub trainer: Option<PathBuf>,
    /// What starts trainers; the program `trainer` when absent.
    pub launcher: Option<Arc<dyn Launcher>>,
    /// Ends the worker when it has had nothing to do for this long; never when absent.
    pub idle_timeout: Option<Duration>,
    /// What the worker does because somebody else ends it later; nothing when absent.
    pub time_limit: Option<TimeLimit>,
    /// How long trainers may take to checkpoint when the worker is told to stop.
    pub grace: Duration,
    /// How long the coordinator may be away before its runs are given up; a lease's term at least.
    pub outage: Duration,
    /// How long a trainer that can train one group after the other stays when there is no next one. It holds memory, also
    /// of a GPU.
    pub trainer_idle: Duration,
    /// A trainer that reports nothing for this long hangs, and is killed.
    pub trainer_silence: Duration,
    /// A trainer that reports, but has not done its first step after this long, hangs too, and is killed.
    pub trainer_setup: Duration,
    /// After its first step, a trainer that reports for this long without a new step, evaluation or checkpoint hangs
    /// too, and is killed. The limit is 20 times as long as the trainer's steps usually take, if that is more.
    pub trainer_step: Duration,
    /// How long a slot rests after the first time that this machine could not train what it was given; twice as long
    /// after each further time in a row, up to 60 times as long.
    pub slot_rest: Duration,
    /// How long the last checkpoints of a run that is given back may take on their way to the coordinator: another
    /// machine goes on from the last one that came through.
    pub last_uploads: Duration,
    /// Most points that an attempt holds unacknowledged; then its trainer has to wait. A point takes about 100 bytes,
    /// so the default of 100,000 points takes 10 MB.
    pub queue_points: usize,
    /// Most bytes of unacknowledged points in an attempt's spool; then its trainer has to wait. The file may be twice
    /// as long before it is shortened.
    pub spool_bytes: usize,
    /// Where the worker counts what happens.
    pub metrics: Metrics,
}

impl WorkerConfig {
    /// Trains on whatever this machine has, until told to stop.
    #[must_use]
    pub fn new(coordinator: AccessFile, state: impl Into<PathBuf>) -> Self {
        Self {
            coordinator,
            network: Network::default(),
            access_file: None,
            name: None,
            hardware: None,
            device: DeviceChoice::Auto,
            slots: None,
            threads: None,
            group_size: GroupSize::Runs(1),
            data: None,
            any_folder: false,
            state: state.into(),
            adopt: false,
            trainer: None,
            launcher: None,
            idle_timeout: None,
            time_limit: None,
            grace: Duration::from_secs(20),
            outage: Duration::from_secs(10 * 60),
            trainer_idle: Duration::from_secs(30),
            trainer_silence: Duration::from_secs(15 * 60),
            trainer_setup: Duration::from_secs(30 * 60),
            trainer_step: Duration::from_secs(5 * 60),
            slot_rest: Duration::from_secs(5),
            last_uploads: Duration::from_secs(30),
            queue_points: 100_000,
            spool_bytes: 64 << 20,
            metrics: Metrics::default(),
        }
    }
}
