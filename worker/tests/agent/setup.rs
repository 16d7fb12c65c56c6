use std::future::pending;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acai_proto::v1::{Assignment, Attempt, Group, Parameter, parameter};
use acai_worker::{Summary, WorkerConfig, WorkerError};
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
    let parameter = |(name, value): (&str, _)| Parameter { name: name.into(), value: Some(value) };
    let configuration: Vec<Parameter> = configuration.map(parameter).into();
    let assignment = |run| Assignment {
        attempt: Some(Attempt { run, number: 1 }),
        sweep: "lines".into(),
        index: run as u32,
        configuration: configuration.clone(),
        seed: 0,
        checkpoint_kimg: 1.0,
        checkpoints: Vec::new(),
        void_attempts: 0,
    };
    Group { runs: runs.into_iter().map(assignment).collect() }
}

pub(crate) fn attempt(run: u64, number: u32) -> Attempt {
    Attempt { run, number }
}

/// A machine: what a worker on it leaves behind outlives the worker.
pub(crate) struct Machine {
    folder: TempDir,
    pub(crate) config: WorkerConfig,
}

impl Machine {
    /// One slot, whose trainers follow `scenario`. The worker ends soon after its work.
    pub(crate) fn new(coordinator: &Coordinator, scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = WorkerConfig::new(&coordinator.url, folder.path().join("state"));
        config.slots = Some(1);
        config.group_size = 4;
        config.data = Some(folder.path().to_owned());
        config.trainer = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agent/trainer.sh"));
        config.idle_timeout = Some(Duration::from_millis(100));
        config.outage = Duration::ZERO;
        let machine = Self { folder, config };
        machine.follow(scenario);
        machine
    }

    /// What trainers do from now on. `$data` is [`Self::file`]'s folder.
    pub(crate) fn follow(&self, scenario: &str) {
        std::fs::write(self.file("scenario.sh"), scenario).unwrap();
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file in the folder of run `run`.
    pub(crate) fn run_file(&self, run: u64, name: &str) -> PathBuf {
        self.file("state/runs").join(format!("lines-{run}-run{run}")).join(name)
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

    /// Whether the process runs whose id is in the file.
    pub(crate) fn is_running(&self, file: &str) -> bool {
        let pid = std::fs::read_to_string(self.file(file)).unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        // The state comes after the name in parentheses; a zombie only waits to be counted.
        stat.rsplit(") ").next().is_some_and(|state| !state.is_empty() && !state.starts_with(['Z', 'X']))
    }
}
