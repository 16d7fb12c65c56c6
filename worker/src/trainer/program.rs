//! The trainer program, started as a process of this machine.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::guard::Guard;
use super::launcher::{Launched, Launcher, Process};
use crate::machine::devices::Slot;

/// The trainer program's file.
#[derive(Debug)]
pub(crate) struct Program(pub(crate) PathBuf);

impl Launcher for Program {
    fn program(&self) -> &Path {
        &self.0
    }

    /// Starts `program serve --device D --threads T [--data DIR]`. The trainer gets a process group of its own, so that
    /// a terminal's Ctrl-C reaches only the agent, and everything that the trainer starts can be killed. The trainer
    /// ends with the agent: by itself, at the end of its input, or else by the guard of its process group.
    fn launch(&self, slot: &Slot, data: Option<&Path>) -> io::Result<Launched> {
        let guard = start_guard();
        let group = guard.as_ref().map_or(0, Guard::group);
        let mut child = serve(&self.0, slot, data).process_group(group).kill_on_drop(true).spawn()?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("no pipes to the process"));
        };
        let process = Box::new(GuardedChild { child, guard });
        Ok(Launched { input: Box::new(input), output: Box::new(output), errors: Box::new(errors), process })
    }
}

/// A process and the guard of its group.
#[derive(Debug)]
struct GuardedChild {
    child: Child,
    /// None where there is no shell; the trainer has then a process group of its own.
    guard: Option<Guard>,
}

#[async_trait]
impl Process for GuardedChild {
    fn id(&self) -> Option<u32> {
        self.child.id()
    }

    async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Sends `SIGKILL` to the whole process group. Without a guard the group's number is the trainer's process id,
    /// which no other process gets before the trainer is waited for.
    fn kill(&self) {
        if let Some(guard) = &self.guard {
            guard.kill();
        } else if let Some(group) = self.child.id().and_then(|id| Pid::from_raw(id as i32)) {
            // This fails when the group has just ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for GuardedChild {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The trainer's command line, with pipes.
fn serve(program: &Path, slot: &Slot, data: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    command.args(["serve", "--device", &slot.device, "--threads", &slot.threads.to_string()]);
    if let Some(data) = data {
        command.arg("--data").arg(data);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start_guard() -> Option<Guard> {
    let guard = Guard::start();
    if let Err(error) = &guard {
        tracing::warn!("a trainer that hangs will outlive this worker if that is killed: no guard ({error})");
    }
    guard.ok()
}
