use std::future::pending;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acai_access::AccessFile;
use acai_proto::v1::{Assignment, Attempt, Group, Parameter, parameter};
use acai_worker::{GroupSize, Summary, WorkerConfig, WorkerError};
use tempfile::TempDir;

use crate::coordinator::Coordinator;

/// Long enough that no test loses a lease by chance.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// First attempts at these runs, as one group.
pub(crate) fn group(runs: impl IntoIterator<Item = u64>) -> Group {
    use parameter::Value::{Integer, Number, Word};
    let configuration = [
        ("model", Word("baseline".into())),
        ("dataset", Word("lines32".into())),
        ("depth", Integer(16)),
        ("latent", Integer(2)),
        ("latent_width", Integer(4)),
        ("batch", Integer(64)),
        ("lr", Number(1e-4)),
        ("total_kimg", Integer(1)),
        ("eval_kimg", Integer(1)),
        ("precision", Word("fp32".into())),
        ("kmeans_inits", Integer(1)),
    ];
    let parameter =
        |(name, value): (&str, _)| Parameter { name: name.into(), value: Some(value), own: false };
    let configuration: Vec<Parameter> = configuration.map(parameter).into();
    let assignment = |run| Assignment {
        attempt: Some(attempt(run, 1)),
        sweep: "lines".into(),
        number: run as u32,
        configuration: configuration.clone(),
        seed: 0,
        checkpoint_kimg: 1.0,
        weights: false,
        checkpoints: Vec::new(),
        void_attempts: 0,
        earlier_attempts: Vec::new(),
    };
    Group { runs: runs.into_iter().map(assignment).collect(), ..Group::default() }
}

/// An attempt with a token that no other one has.
pub(crate) fn attempt(run: u64, number: u32) -> Attempt {
    Attempt { run, number, token: run << 32 | u64::from(number) }
}

/// The configuration of a worker with one slot, which keeps all its files in `folder` and ends soon after its work.
pub(crate) fn config(coordinator: &str, folder: &Path) -> WorkerConfig {
    let mut config = WorkerConfig::new(AccessFile::open(coordinator), folder.join("state"));
    config.slots = Some(1);
    config.group_size = GroupSize::Runs(4);
    config.data = Some(folder.to_owned());
    config.trainer = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agent/trainer.sh"));
    config.idle_timeout = Some(Duration::from_millis(100));
    config.outage = Duration::ZERO;
    config.slot_rest = Duration::from_millis(50);
    config
}

/// Resolves when `condition` holds. Checks again and again, for conditions whose change nobody announces.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the condition comes true");
}

/// A machine. The files that a worker leaves on it outlive the worker.
pub(crate) struct Machine {
    folder: TempDir,
    pub(crate) config: WorkerConfig,
}

impl Machine {
    /// A machine whose trainers follow `scenario`.
    pub(crate) fn new(coordinator: &Coordinator, scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&coordinator.url, folder.path());
        let machine = Self { folder, config };
        machine.follow(scenario);
        machine
    }

    /// What trainers do from now on. `$data` is [`Self::file`]'s folder.
    pub(crate) fn follow(&self, scenario: &str) {
        std::fs::write(self.file("scenario.sh"), scenario).unwrap();
    }

    /// What trainers do first.
    pub(crate) fn before_ready(&self, scenario: &str) {
        std::fs::write(self.file("before_ready.sh"), scenario).unwrap();
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file in the folder of run `run`.
    pub(crate) fn run_file(&self, run: u64, name: &str) -> PathBuf {
        self.file("state/runs").join(format!("lines-{run}")).join(name)
    }

    /// What the spool of an attempt at run 7 holds, as text; nothing when there is none.
    pub(crate) fn spool(&self, number: u32) -> String {
        let file = self.file("state/spool").join(format!("run-7-attempt-{number}.spool"));
        String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).into_owned()
    }

    pub(crate) async fn work(&self) -> Result<Summary, WorkerError> {
        self.work_until(pending()).await
    }

    pub(crate) async fn work_until(
        &self,
        shutdown: impl Future<Output = ()>,
    ) -> Result<Summary, WorkerError> {
        let worked = acai_worker::run(self.config.clone(), shutdown);
        tokio::time::timeout(Duration::from_secs(30), worked).await.expect("the worker ends")
    }

    /// The number that a trainer wrote into the file.
    pub(crate) fn pid(&self, file: &str) -> i32 {
        std::fs::read_to_string(self.file(file)).unwrap().trim().parse().unwrap()
    }

    /// Whether the process runs whose id is in the file.
    pub(crate) fn is_running(&self, file: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid(file))).unwrap_or_default();
        // The state comes after the name in parentheses. A zombie has ended, and only waits for its parent to notice.
        stat.rsplit(") ").next().is_some_and(|state| !state.is_empty() && !state.starts_with(['Z', 'X']))
    }
}
