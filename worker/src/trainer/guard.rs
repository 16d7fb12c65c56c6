//! A trainer's end when its agent dies.
//!
//! A trainer ends at the end of its input, which comes with the agent's death. A trainer that hangs does not notice
//! this, and neither do the processes that it started. So a guard is part of the trainer's process group: a shell that
//! waits for the end of a pipe from the agent and then kills the group, itself included. The kernel closes that pipe
//! whatever the agent dies of.
//!
//! Linux's parent-death signal would need unsafe code, would reach the trainer but not its children, and would come
//! when the *thread* that started the trainer ends. For as long as the guard lives, the system gives the group's number
//! to no other process, so that no process outside the group is ever killed.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStdin, Command};

/// The guard ignores requests to end: they are for the trainer, which may need time to end.
const SCRIPT: &str = "trap '' TERM INT HUP; read -r _; kill -KILL 0";

/// The guard of a process group, and the group's first member.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    group: Pid,
    /// Nothing is written to this pipe; the guard waits for its end.
    _input: ChildStdin,
}

impl Guard {
    /// Starts a guard, in a new process group.
    pub(crate) fn start() -> std::io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.process_group(0).spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(id as i32));
        match (child.stdin.take(), group) {
            (Some(input), Some(group)) => Ok(Self { child, group, _input: input }),
            _ => Err(std::io::Error::other("no pipe to the process")),
        }
    }

    /// The number of the process group, which the guarded processes join.
    pub(crate) fn group(&self) -> i32 {
        self.group.as_raw_pid()
    }

    /// Kills all processes in the group.
    pub(crate) fn kill(&self) {
        // The number belongs to this group until the guard is waited for, which nobody does before this is dropped.
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.start_kill();
    }
}
