//! Trainers that train in virtual time: they speak the lines of `acai-trainer` over pipes in memory, and go wrong as they are
//! told.

pub(crate) mod model;
mod role;
mod temper;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use acai_worker::devices::Slot;
use acai_worker::{Launched, Launcher, Process};
use async_trait::async_trait;
use tokio::io::duplex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::journal::Journal;
pub(crate) use temper::Temper;

/// As much as a pipe of Linux holds.
const PIPE_BYTES: usize = 1 << 16;
/// How a process ends that was killed: by signal 9.
const KILLED: i32 = 9;

/// Starts trainers on one host.
#[derive(Debug)]
pub(crate) struct Trainers {
    pub(crate) host: &'static str,
    pub(crate) journal: Journal,
}

impl Launcher for Trainers {
    fn program(&self) -> &Path {
        Path::new("simulated-trainer")
    }

    fn launch(&self, _: &Slot, _: Option<&Path>) -> io::Result<Launched> {
        let (launch, temper) = self.journal.launches();
        if temper != Temper::Good {
            tracing::info!(target: "trainer", host = self.host, launch, ?temper, "a trainer is started");
        }
        let (input, commands) = duplex(PIPE_BYTES);
        let (events, output) = duplex(PIPE_BYTES);
        let (printed, errors) = duplex(PIPE_BYTES);
        let (ends, ended) = watch::channel(None);
        let teller = ends.clone();
        let (host, journal) = (self.host, self.journal.clone());
        let task = tokio::spawn(async move {
            let code = role::act(temper, host, commands, events, printed, &journal).await;
            teller.send_if_modified(|end| end.replace(ExitStatus::from_raw(code)).is_none());
        });
        let process = Box::new(Simulated { task, ends, ended });
        Ok(Launched { input: Box::new(input), output: Box::new(output), errors: Box::new(errors), process })
    }
}

/// The process of a simulated trainer.
#[derive(Debug)]
struct Simulated {
    task: JoinHandle<()>,
    ends: watch::Sender<Option<ExitStatus>>,
    ended: watch::Receiver<Option<ExitStatus>>,
}

#[async_trait]
impl Process for Simulated {
    fn id(&self) -> Option<u32> {
        None
    }

    async fn wait(&mut self) -> io::Result<ExitStatus> {
        let end = self.ended.wait_for(Option::is_some).await.map_err(io::Error::other)?;
        end.ok_or_else(|| io::Error::other("it has not ended"))
    }

    fn kill(&self) {
        let is_alive = |end: &mut Option<ExitStatus>| match end {
            Some(_) => false,
            None => {
                *end = Some(ExitStatus::from_raw(KILLED));
                true
            }
        };
        self.ends.send_if_modified(is_alive);
        self.task.abort();
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        self.task.abort();
    }
}
