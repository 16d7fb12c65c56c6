//! Fleets of workers on this machine, such as one for each GPU and one for the cores.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::file::{check_worker_options, name};
use super::way;
use crate::args::UpArguments;
use crate::failure::Failure;
use crate::log;
use crate::output::Output;
use crate::signals::Shutdown;

/// A worker that ended is started again after this long, and after twice as long each further time …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A worker that lived as long had no trouble to start.
const SETTLED: Duration = Duration::from_secs(60);

/// Workers on this machine.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalFleet {
    /// Its workers have it in their names.
    #[serde(deserialize_with = "name")]
    name: String,
    /// The workers by their names.
    workers: BTreeMap<String, LocalWorker>,
    /// Folder of the workers' files.
    #[serde(default)]
    folder: PathBuf,
    /// Access file of the workers.
    #[serde(default)]
    access: Option<PathBuf>,
}

/// One worker.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalWorker {
    /// Variables of its environment, such as CUDA_VISIBLE_DEVICES.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Options of `acai worker`.
    #[serde(default)]
    worker: Vec<String>,
}

impl LocalFleet {
    /// Makes paths absolute, and checks what types do not.
    pub(super) fn complete(&mut self, folder: &Path) -> anyhow::Result<()> {
        ensure!(!self.workers.is_empty(), "`workers` has none");
        self.folder = match self.folder.as_os_str().is_empty() {
            true => folder.join(format!("fleet-{}", self.name)),
            false => folder.join(&self.folder),
        };
        self.access = self.access.take().map(|access| folder.join(access));
        for (worker, LocalWorker { worker: options, .. }) in &self.workers {
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
            ensure!(
                !worker.is_empty() && worker.chars().all(is_plain),
                "`workers` has `{worker}`: a name has letters, digits, hyphens and underscores"
            );
            check_worker_options(options).with_context(|| format!("in the worker `{worker}`"))?;
        }
        Ok(())
    }
}

/// `acai fleet up`: starts the workers, and again whichever ends, until stopped.
pub(super) async fn up(fleet: LocalFleet, arguments: &UpArguments, output: Output) -> Result<(), Failure> {
    let (access, _) = way::of_workers(&arguments.fleet.at, fleet.access.as_deref())?;
    let acai = std::env::current_exe().context("cannot tell where this program is")?;
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let plans = fleet.workers.iter().map(|(name, LocalWorker { env, worker })| Plan {
        name: format!("{host}-{}-{name}", fleet.name),
        acai: acai.clone(),
        access: access.clone(),
        state: fleet.folder.join(name),
        env: env.clone(),
        options: worker.clone(),
    });
    if arguments.dry_run {
        for plan in plans {
            output.data(&format!("{:?}", plan.command().as_std()))?;
        }
        return Ok(());
    }
    log::to_stderr(arguments.observing.log_format);
    let shutdown = Shutdown::on_signal(|| {
        tracing::info!("stopping: the workers write checkpoints and give their runs back");
    })?;
    let mut workers = JoinSet::new();
    plans.for_each(|plan| drop(workers.spawn(keep(plan, shutdown.clone()))));
    workers.join_all().await;
    Ok(())
}

/// What a fleet of this machine does not do.
pub(super) fn has_none(instead: &str) -> Failure {
    anyhow!("a fleet of the kind local is its `acai fleet up`, as long as that runs\nhint: {instead}").into()
}

/// How a worker is started.
struct Plan {
    name: String,
    acai: PathBuf,
    access: PathBuf,
    state: PathBuf,
    env: BTreeMap<String, String>,
    options: Vec<String>,
}

impl Plan {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.acai);
        command.args(["worker", "--name", &self.name, "--access"]).arg(&self.access);
        command.arg("--state").arg(&self.state).args(&self.options).envs(&self.env);
        // In a group of its own: Ctrl-C comes to this program alone, which passes it on once. A second one would end a worker
        // before its trainers have written checkpoints.
        command.stdin(Stdio::null()).process_group(0);
        command
    }
}

/// Keeps a worker alive until the program is told to stop; then has it end in order.
async fn keep(plan: Plan, shutdown: Shutdown) {
    let mut pause = FIRST_PAUSE;
    while !shutdown.is_requested() {
        let begun = std::time::Instant::now();
        match plan.command().spawn() {
            Ok(child) => {
                tracing::info!(worker = plan.name, "started");
                let ended = watch(child, &shutdown).await;
                tracing::info!(worker = plan.name, "ended: {ended}");
            }
            Err(error) => tracing::error!(worker = plan.name, "cannot be started: {error}"),
        }
        pause = if begun.elapsed() >= SETTLED { FIRST_PAUSE } else { pause };
        tokio::select! {
            () = sleep(pause) => {}
            () = shutdown.wait() => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Waits for the end of a worker, which is asked for when the program is told to stop.
async fn watch(mut child: Child, shutdown: &Shutdown) -> String {
    let ended = tokio::select! {
        ended = child.wait() => ended,
        () = shutdown.wait() => {
            if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
                // It may just have ended.
                let _ = kill_process(pid, Signal::TERM);
            }
            child.wait().await
        }
    };
    ended.map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string())
}
