//! A trainer's end when its agent dies.
//!
//! A trainer ends at the end of its input, which comes with the agent's death; one that hangs does not
//! notice, and neither does what it started. So a guard sits in its process group: a shell that waits
//! for the end of a pipe from the agent and then kills the group, itself included. The kernel closes
//! that pipe whatever the agent dies of.
//!
//! Linux's parent-death signal would need unsafe code, reaches the trainer but not its children, and
//! comes when the *thread* that started it ends. The guard keeps the group's number from being given
//! to other processes for as long as it lives, so no stranger is ever killed.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStdin, Command};

/// A request to end is for the trainer, which may need time to do so.
const SCRIPT: &str = "trap '' TERM INT HUP; read -r _; kill -KILL 0";

/// The guard of a process group, and its first member.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    group: Pid,
    /// Nothing is written to it; its end says it all.
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

    /// The group for those it guards.
    pub(crate) fn group(&self) -> i32 {
        self.group.as_raw_pid()
    }

    /// Kills the group and all in it.
    pub(crate) fn kill(&self) {
        // Until it is waited for, which nobody does before this is dropped, the number is its own.
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.start_kill();
    }
}
