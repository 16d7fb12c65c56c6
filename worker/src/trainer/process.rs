//! A process that runs the trainer program: it takes commands, says events, and is ended in every case.

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use acai_sweep::trainer_protocol::{Command, Event};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::breakdown::Breakdown;
use super::launcher::{Launched, Launcher, Process};
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
    /// Whether runs can join a group that it trains, once it has said so.
    pub(crate) can_join: bool,
    /// Whether it may stay when there is no other group at once.
    pub(crate) is_kept: bool,
    /// Whether the trainer has trained another group before.
    pub(crate) has_stayed: bool,
    process: Box<dyn Process>,
    commands: mpsc::UnboundedSender<Vec<u8>>,
    /// How the trainer exited, once it has, and until when its last events are waited for.
    exited: Option<(ExitStatus, Instant)>,
    events: mpsc::Receiver<Result<Event, Breakdown>>,
    stderr: Stderr,
}

impl TrainerProcess {
    /// Starts a trainer on a slot.
    pub(crate) fn start(launcher: &dyn Launcher, slot: &Slot, data: Option<&Path>) -> std::io::Result<Self> {
        let Launched { input, output, errors, process } = launcher.launch(slot, data)?;
        let (commands, lines) = mpsc::unbounded_channel();
        tokio::spawn(write_commands(input, lines));
        let (sender, events) = mpsc::channel(EVENTS_AHEAD);
        tokio::spawn(read_events(output, sender));
        let stderr = Stderr::read(errors, process.id().unwrap_or_default());
        Ok(Self {
            can_stay: false,
            can_join: false,
            is_kept: false,
            has_stayed: false,
            process,
            commands,
            exited: None,
            events,
            stderr,
        })
    }

    /// What tells this process from others, for the next agent if this one is killed; none where the system does not
    /// tell.
    pub(crate) fn identity(&self) -> Option<ProcessIdentity> {
        self.process.id().and_then(ProcessIdentity::of)
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
                    None => match timeout(EXIT_TIMEOUT, self.process.wait()).await {
                        Ok(Ok(status)) => return Err(Breakdown::Exited(status)),
                        Ok(Err(_)) | Err(_) => return Err(Breakdown::OutputClosed),
                    },
                },
                status = self.process.wait() => {
                    let Ok(status) = status else { return Err(Breakdown::OutputClosed) };
                    // This ends what the trainer started in its process group, and with that the output.
                    self.process.kill();
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
        self.process.kill();
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
            self.process.wait().await
        };
        if timeout(EXIT_TIMEOUT, exit).await.is_err() {
            tracing::warn!("the trainer did not exit after its last run; killing it");
        }
        self.stop().await;
    }

    /// Kills the trainer and waits until it is gone, so that its device is free.
    pub(crate) async fn stop(mut self) {
        self.process.kill();
        if let Err(error) = self.process.wait().await {
            tracing::warn!("cannot wait for the trainer's end: {error}");
        }
    }
}
