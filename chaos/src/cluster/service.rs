//! A program that is kept running, and can be made to fail.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::tree::{descendants, runs};

/// A process, how it is started, and where its words go.
pub(super) struct Service {
    command: Box<dyn Fn() -> Command + Send + Sync>,
    log: PathBuf,
    child: Option<Child>,
}

impl Service {
    pub(super) fn start(
        log: &Path,
        command: impl Fn() -> Command + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let mut service = Service { command: Box::new(command), log: log.to_owned(), child: None };
        service.start_again()?;
        Ok(service)
    }

    pub(super) fn start_again(&mut self) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = (self.command)();
        command.stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log));
        self.child = Some(command.spawn()?);
        Ok(())
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    pub(super) fn signal(&self, signal: Signal) {
        send(self.pid().as_slice(), signal);
    }

    /// To all that it started as well.
    pub(super) fn signal_tree(&self, signal: Signal) {
        let started = self.pid().map(descendants).unwrap_or_default();
        send(&started, signal);
        self.signal(signal);
    }

    /// `SIGKILL`, to all that it started as well.
    pub(super) async fn kill_tree(&mut self) {
        let started = self.pid().map(descendants).unwrap_or_default();
        self.kill().await;
        send(&started, Signal::KILL);
    }

    /// `SIGKILL`, to itself only.
    pub(super) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill().await;
        }
    }

    /// `SIGKILL` to those of what it started that run this program. Whether there were any.
    pub(super) fn kill_started(&self, program: &str) -> bool {
        let mut started = self.pid().map(descendants).unwrap_or_default();
        started.retain(|pid| runs(*pid, program));
        send(&started, Signal::KILL);
        !started.is_empty()
    }

    /// Waits for its end, and kills it if that does not come. Whether it came.
    pub(super) async fn wait_or_kill(&mut self, patience: Duration) -> bool {
        let ended = match &mut self.child {
            Some(child) => timeout(patience, child.wait()).await.is_ok(),
            None => true,
        };
        self.kill_tree().await;
        ended
    }

    fn pid(&self) -> Option<i32> {
        self.child.as_ref().and_then(Child::id).and_then(|pid| i32::try_from(pid).ok())
    }
}

fn send(pids: &[i32], signal: Signal) {
    for pid in pids.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        // It may just have ended by itself.
        let _ = kill_process(pid, signal);
    }
}
