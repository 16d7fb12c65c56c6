//! A process that runs the trainer program: it takes commands, says events, and is ended in every case.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use acai_sweep::trainer_protocol::{Command, Event};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::breakdown::Breakdown;
use super::guard::Guard;
use super::lines::cut;
use super::stderr::Stderr;
use super::streams::{read_events, write_commands};
use crate::machine::devices::Slot;
use crate::machine::process_identity::ProcessIdentity;

/// How many events are read before anybody takes them.
const EVENTS_AHEAD: usize = 64;
/// Time for a trainer that has closed its output to exit, or for one that has nothing left to do.
const EXIT_TIMEOUT: Duration = Duration::from_secs(5);
/// What a failure's message has of the trainer's standard error: 20 lines of at most 180 bytes fit, with the reason in
/// front, into its 4 KiB.
const LAST_LINES: usize = 20;
const LAST_LINE_BYTES: usize = 180;

/// A running trainer. Dropping this kills the trainer and whatever that started.
#[derive(Debug)]
pub(crate) struct TrainerProcess {
    /// Whether the trainer can stay for another group, once it has said so.
    pub(crate) can_stay: bool,
    child: Child,
    /// None where there is no shell; the trainer has then a process group of its own.
    guard: Option<Guard>,
    commands: mpsc::UnboundedSender<Vec<u8>>,
    /// How the trainer exited, once it has, and until when its last events are waited for.
    exited: Option<(ExitStatus, Instant)>,
    events: mpsc::Receiver<Result<Event, Breakdown>>,
    stderr: Stderr,
}

impl TrainerProcess {
    /// Starts `program serve --device D --threads T [--data DIR]`. The trainer gets a process group of its own, so that
    /// a terminal's Ctrl-C reaches only the agent, and everything that the trainer starts can be killed. The trainer
    /// ends with the agent: by itself, at the end of its input, or else by the guard of its process group.
    pub(crate) fn spawn(program: &Path, slot: &Slot, data: Option<&Path>) -> std::io::Result<Self> {
        let guard = start_guard();
        let group = guard.as_ref().map_or(0, Guard::group);
        let mut child = serve(program, slot, data).process_group(group).kill_on_drop(true).spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(std::io::Error::other("no pipes to the process"));
        };
        let (commands, lines) = mpsc::unbounded_channel();
        tokio::spawn(write_commands(stdin, lines));
        let (sender, events) = mpsc::channel(EVENTS_AHEAD);
        tokio::spawn(read_events(stdout, sender));
        let stderr = Stderr::read(stderr, child.id().unwrap_or_default());
        Ok(Self { can_stay: false, child, guard, commands, exited: None, events, stderr })
    }

    /// What tells this process from others, for the next agent if this one is killed; none where the system does not
    /// tell.
    pub(crate) fn identity(&self) -> Option<ProcessIdentity> {
        self.child.id().and_then(ProcessIdentity::of)
    }

    /// Where to learn what the trainer prints.
    pub(crate) fn stderr(&self) -> Stderr {
        self.stderr.clone()
    }

    /// What the trainer has printed so far is not about its next group.
    pub(crate) fn forget_printed(&self) {
        self.stderr.clear();
    }

    /// Sends a command. That a command cannot be sent is not an error here: the trainer has ended or hangs, and
    /// [`Self::next`] tells which.
    pub(crate) fn send(&self, command: &Command) {
        let Ok(mut line) = serde_json::to_vec(command) else { return };
        line.push(b'\n');
        if self.commands.send(line).is_err() {
            tracing::debug!("the trainer takes no commands any more");
        }
    }

    /// The next event, or how the trainer broke down. Cancel safe.
    ///
    /// The trainer's exit and the end of its output are awaited together: what the trainer started may live on and hold
    /// the output open.
    pub(crate) async fn next(&mut self) -> Result<Event, Breakdown> {
        if self.exited.is_none() {
            tokio::select! {
                biased;
                event = self.events.recv() => match event {
                    Some(event) => return event,
                    None => match timeout(EXIT_TIMEOUT, self.child.wait()).await {
                        Ok(Ok(status)) => return Err(Breakdown::Exited(status)),
                        Ok(Err(_)) | Err(_) => return Err(Breakdown::OutputClosed),
                    },
                },
                status = self.child.wait() => {
                    let Ok(status) = status else { return Err(Breakdown::OutputClosed) };
                    // This ends what the trainer started in its process group, and with that the output.
                    self.kill();
                    self.exited = Some((status, Instant::now() + EXIT_TIMEOUT));
                }
            }
        }
        let Some((status, until)) = self.exited else { return Err(Breakdown::OutputClosed) };
        match timeout_at(until, self.events.recv()).await {
            Ok(Some(event)) => event,
            Ok(None) | Err(_) => Err(Breakdown::Exited(status)),
        }
    }

    /// Kills the trainer, and explains the breakdown with the end of its standard error.
    pub(crate) async fn post_mortem(&mut self, breakdown: &Breakdown) -> String {
        self.kill();
        // With the process group dead its standard error ends, unless something that left the group holds it open.
        self.stderr.end(EXIT_TIMEOUT).await;
        let printed = self.stderr.text().await;
        let lines: Vec<&str> = printed.lines().map(|line| cut(line, LAST_LINE_BYTES)).collect();
        if lines.is_empty() {
            return format!("{breakdown}; it wrote nothing to its standard error");
        }
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        format!("{breakdown}; the end of its standard error:\n{last}")
    }

    /// Lets a trainer exit that has nothing left to do; if it does not, it is killed.
    pub(crate) async fn finish(mut self) {
        if self.can_stay {
            self.send(&Command::Shutdown);
        }
        let exit = async {
            // What the trainer still says is of no use, but must be read so that writing does not block it.
            while self.next().await.is_ok() {}
            self.child.wait().await
        };
        if timeout(EXIT_TIMEOUT, exit).await.is_err() {
            tracing::warn!("the trainer did not exit after its last run; killing it");
        }
        self.stop().await;
    }

    /// Kills the trainer and waits until it is gone, so that its device is free.
    pub(crate) async fn stop(mut self) {
        self.kill();
        if let Err(error) = self.child.wait().await {
            tracing::warn!("cannot wait for the trainer's end: {error}");
        }
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

/// The trainer's command line, with pipes.
fn serve(program: &Path, slot: &Slot, data: Option<&Path>) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(program);
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

impl Drop for TrainerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
