//! A trainer process: commands in, events out, and an end in every case.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use acai_sweep::trainer_protocol::{Command, Event};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::machine::devices::Slot;
use crate::machine::process_identity::ProcessIdentity;
use crate::trainer::guard::Guard;
use crate::trainer::lines::{Line, cut, next_line};

/// Events read ahead of whoever takes them.
const EVENTS_AHEAD: usize = 64;
/// Longest event: a group's evaluation has some ten values.
const EVENT_BYTES: u64 = 1 << 20;
/// What is kept of the trainer's standard error: 20 lines of at most 180 bytes fit, with the reason
/// in front, into the 4 KiB of a failure's message.
const LAST_LINES: usize = 20;
const LAST_LINE_BYTES: usize = 180;
/// Time for a trainer that has closed its output to exit, or for one that has nothing left to do.
const EXIT_TIMEOUT: Duration = Duration::from_secs(5);
/// A trainer that has not taken a command after this long is worth a warning.
const SLOW_COMMAND: Duration = Duration::from_secs(5);

/// How a trainer let its members down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Breakdown {
    #[error("the trainer ended before the run did, with {0}")]
    Exited(ExitStatus),
    #[error("the trainer closed its output but did not exit")]
    OutputClosed,
    #[error("the trainer wrote a line that is no event ({reason}): `{line}`")]
    Garbled { line: String, reason: String },
    #[error("the trainer broke the protocol: {0}")]
    Protocol(String),
    #[error("the trainer reported nothing for {0:?} and was killed")]
    Silent(Duration),
    #[error("no progress for {0:?}: the trainer reported, but no new step, and was killed")]
    Stuck(Duration),
}

impl Breakdown {
    /// Whether the kernel, a person or a program of this machine made an end of the process.
    pub(crate) fn is_killed(&self) -> bool {
        let Self::Exited(status) = self else { return false };
        let from_outside = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP];
        status.signal().is_some_and(|number| from_outside.iter().any(|signal| signal.as_raw() == number))
    }
}

/// A running trainer. Dropping it kills it and whatever it started.
#[derive(Debug)]
pub(crate) struct TrainerProcess {
    child: Child,
    /// None where there is no shell; the trainer is then a group of its own.
    guard: Option<Guard>,
    commands: mpsc::UnboundedSender<Vec<u8>>,
    /// How it exited, once it has, and until when what it said last is waited for.
    exited: Option<(ExitStatus, Instant)>,
    events: mpsc::Receiver<Result<Event, Breakdown>>,
    stderr: watch::Receiver<VecDeque<String>>,
}

impl TrainerProcess {
    /// Starts `program serve --device D --threads T [--data DIR]`. It gets a process group of its
    /// own, so that a terminal's Ctrl-C reaches only the agent, and everything it starts can be killed.
    /// It ends with the agent: by itself, at the end of its input, or else by its group's guard.
    pub(crate) fn spawn(program: &Path, slot: &Slot, data: Option<&Path>) -> std::io::Result<Self> {
        let mut command = tokio::process::Command::new(program);
        command.args(["serve", "--device", &slot.device, "--threads", &slot.threads.to_string()]);
        if let Some(data) = data {
            command.arg("--data").arg(data);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let guard = Guard::start();
        if let Err(error) = &guard {
            tracing::warn!(
                "a trainer that hangs will outlive this worker if that is killed: no guard ({error})"
            );
        }
        let guard = guard.ok();
        let group = guard.as_ref().map_or(0, Guard::group);
        let mut child = command.process_group(group).kill_on_drop(true).spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(std::io::Error::other("no pipes to the process"));
        };
        let (commands, lines) = mpsc::unbounded_channel();
        tokio::spawn(write_commands(stdin, lines));
        let (sender, events) = mpsc::channel(EVENTS_AHEAD);
        tokio::spawn(read_events(stdout, sender));
        let (last_lines, tail) = watch::channel(VecDeque::new());
        tokio::spawn(forward_stderr(stderr, last_lines, child.id().unwrap_or_default()));
        Ok(Self { child, guard, commands, exited: None, events, stderr: tail })
    }

    /// Who it is, for an agent that finds it after this one; none where the system does not tell.
    pub(crate) fn identity(&self) -> Option<ProcessIdentity> {
        self.child.id().and_then(ProcessIdentity::of)
    }

    /// Sends a command. One that cannot be sent is not an error here: the trainer has gone or hangs,
    /// and [`Self::next`] tells which.
    pub(crate) fn send(&self, command: &Command) {
        let Ok(mut line) = serde_json::to_vec(command) else { return };
        line.push(b'\n');
        if self.commands.send(line).is_err() {
            tracing::debug!("the trainer takes no commands any more");
        }
    }

    /// The next event, or how the trainer broke down. Cancel safe.
    ///
    /// Its exit and the end of its output are awaited together: what it started may live on and hold the output open.
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
                    // What it started in its group goes with it, and the output ends.
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

    /// Kills the trainer, and explains the breakdown with its last words.
    pub(crate) async fn post_mortem(&mut self, breakdown: &Breakdown) -> String {
        self.kill();
        // With the process group dead its standard error ends, save for what left the group.
        let _ = timeout(EXIT_TIMEOUT, async { while self.stderr.changed().await.is_ok() {} }).await;
        let last_lines = self.stderr.borrow().iter().map(|line| format!("\n{line}")).collect::<String>();
        if last_lines.is_empty() {
            format!("{breakdown}; it wrote nothing to its standard error")
        } else {
            format!("{breakdown}; the end of its standard error:{last_lines}")
        }
    }

    /// Lets a trainer exit that has nothing left to do; one that does not is killed.
    pub(crate) async fn finish(mut self) {
        let exit = async {
            // What it still says is of no use, but must not block it.
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

    /// `SIGKILL` to the whole process group. Without a guard its number is the trainer's process id,
    /// which is not given to anyone else before the trainer is waited for.
    fn kill(&self) {
        if let Some(guard) = &self.guard {
            guard.kill();
        } else if let Some(group) = self.child.id().and_then(|id| Pid::from_raw(id as i32)) {
            // It may just have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for TrainerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Writes each command whole, however long the trainer takes to read it: the rest of a line that was given up would
/// spoil the next one. Ends, and with it the trainer's input, when the trainer is dropped or has gone.
async fn write_commands(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        let mut written = std::pin::pin!(stdin.write_all(&line));
        let result = match timeout(SLOW_COMMAND, &mut written).await {
            Ok(result) => result,
            Err(_) => {
                tracing::warn!("the trainer has taken no command for {SLOW_COMMAND:?}");
                written.await
            }
        };
        if let Err(error) = result {
            tracing::debug!("cannot send a command to the trainer: {error}");
            return;
        }
    }
}

async fn read_events(stdout: ChildStdout, events: mpsc::Sender<Result<Event, Breakdown>>) {
    let mut reader = BufReader::new(stdout);
    while let Ok(Some(line)) = next_line(&mut reader, EVENT_BYTES).await {
        let event = match line {
            Line::Whole(bytes) => parse(&bytes),
            Line::Cut(bytes) if bytes.len() as u64 == EVENT_BYTES => Err(garbled(&bytes, "too long")),
            // The trainer died while it wrote: its exit says more than half a line.
            Line::Cut(_) => return,
        };
        let last = event.is_err();
        if events.send(event).await.is_err() || last {
            return;
        }
    }
}

fn parse(line: &[u8]) -> Result<Event, Breakdown> {
    serde_json::from_slice(line).map_err(|error| garbled(line, &error.to_string()))
}

fn garbled(line: &[u8], reason: &str) -> Breakdown {
    let line = cut(&String::from_utf8_lossy(line), LAST_LINE_BYTES).to_owned();
    Breakdown::Garbled { line, reason: reason.to_owned() }
}

async fn forward_stderr(stderr: ChildStderr, last_lines: watch::Sender<VecDeque<String>>, pid: u32) {
    let mut reader = BufReader::new(stderr);
    while let Ok(Some(Line::Whole(bytes) | Line::Cut(bytes))) = next_line(&mut reader, 4096).await {
        let line = String::from_utf8_lossy(&bytes);
        tracing::info!(target: "acai_trainer", pid, "{line}");
        last_lines.send_modify(|lines| {
            lines.push_back(cut(&line, LAST_LINE_BYTES).to_owned());
            if lines.len() > LAST_LINES {
                lines.pop_front();
            }
        });
    }
}
