//! A worker's state folder that is copied under its agent, and given to another one on the same machine.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::timeout;

use super::Cluster;

/// Time in which an agent on a copy must have been refused.
const PATIENCE: Duration = Duration::from_secs(30);
/// What it must say.
const REFUSAL: &str = "is a copy of another one";
/// Without this file nobody has used the folder yet.
const ORIGIN: &str = "origin";

impl Cluster {
    /// Starts an agent on a copy of a worker's folder, which must be refused. Whether there was something to copy.
    pub(super) async fn copy_state(&self, worker: usize) -> anyhow::Result<bool> {
        let (Some(state), Some(agent)) = (self.states.get(worker), self.agents.get(worker)) else {
            return Ok(false);
        };
        if !state.join(ORIGIN).is_file() {
            return Ok(false);
        }
        let copy = self.folder.join(format!("copy-of-worker-{worker}"));
        let _ = fs::remove_dir_all(&copy);
        // Fails for files that come and go meanwhile, and copies the others.
        Command::new("cp").arg("-a").arg(state).arg(&copy).stderr(Stdio::null()).status()?;
        if !copy.join(ORIGIN).is_file() {
            return Ok(false);
        }
        let log = self.folder.join(format!("copy-of-worker-{worker}.log"));
        let words = File::create(&log)?;
        let mut child = agent(&copy).stdout(words.try_clone()?).stderr(words).spawn()?;
        let ended = timeout(PATIENCE, child.wait()).await;
        let is_refused = matches!(&ended, Ok(Ok(status)) if !status.success())
            && fs::read_to_string(&log)?.contains(REFUSAL);
        if !is_refused {
            let _ = child.kill().await;
            let what = format!("an agent on a copy of worker {worker}'s folder was not refused: {ended:?}");
            self.copies_used().push(what);
        }
        fs::remove_dir_all(&copy)?;
        Ok(true)
    }
}
