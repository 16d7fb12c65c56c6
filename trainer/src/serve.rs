//! A group of runs, trained for a worker: commands in, events out (`acai_sweep::trainer_protocol`).

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use acai_sweep::trainer_protocol::{Command, Event, Member};

use crate::session::{Benchmarks, Session, SessionError};

/// Time between two signs of life.
const PROGRESS: Duration = Duration::from_secs(1);

/// Why serving ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A line is no command.
    #[error("line `{line}` on standard input is no command")]
    Malformed {
        /// The line.
        line: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A command that makes no sense at this point.
    #[error("{0}")]
    OutOfTurn(&'static str),
    /// Standard input ended while runs were training.
    #[error("the worker is gone: standard input ended before the runs did")]
    WorkerGone,
    /// Standard input or output failed.
    #[error("lost the connection to the worker")]
    Connection(#[from] io::Error),
}

/// A command, or why the line that came is none.
pub type Incoming = Result<Command, ServeError>;

/// Sends each line of `input` as a command, until it ends or is no command.
pub fn read_commands(input: impl BufRead, commands: &Sender<Incoming>) {
    for line in input.lines() {
        let command = line.map_err(ServeError::from).and_then(|line| {
            serde_json::from_str(&line).map_err(|source| ServeError::Malformed { line, source })
        });
        let last = command.is_err();
        if commands.send(command).is_err() || last {
            return;
        }
    }
}

/// Writes events, a line each.
#[derive(Debug)]
pub struct Reporter<W: Write>(pub W);

impl<W: Write> Reporter<W> {
    /// Writes one event at once.
    ///
    /// # Errors
    /// When the worker no longer listens.
    pub fn report(&mut self, event: &Event) -> Result<(), ServeError> {
        serde_json::to_writer(&mut self.0, event).map_err(io::Error::from)?;
        self.0.write_all(b"\n")?;
        Ok(self.0.flush()?)
    }

    fn failed(&mut self, run: u64, step: u64, error: &SessionError) -> Result<(), ServeError> {
        self.report(&Event::Failed { run, step, kind: error.kind(), message: error.paragraph() })
    }
}

/// Waits for a group and trains it, a step of each member in turn, until each has ended.
///
/// A command waits for one member's step at most, with the evaluation that may be due after it.
///
/// # Errors
/// When the worker is gone or does not keep to the protocol. A run's own error is an event.
pub fn serve<W: Write>(
    commands: &Receiver<Incoming>,
    benchmarks: &mut Benchmarks,
    reporter: Reporter<W>,
) -> Result<(), ServeError> {
    let members = match commands.recv() {
        Ok(Ok(Command::Start { group })) if group.is_empty() => {
            return Err(ServeError::OutOfTurn("the group to start is empty"));
        }
        Ok(Ok(Command::Start { group })) => group,
        Ok(Ok(Command::Shutdown)) | Err(_) => return Ok(()),
        Ok(Ok(_)) => return Err(ServeError::OutOfTurn("the first command must be `start`")),
        Ok(Err(error)) => return Err(error),
    };
    let mut group = Group { sessions: VecDeque::new(), reporter };
    group.open(members, benchmarks)?;
    let mut progress = Instant::now();
    while !group.sessions.is_empty() {
        match commands.try_recv() {
            Ok(command) => group.obey(&command?)?,
            Err(TryRecvError::Disconnected) => return Err(ServeError::WorkerGone),
            Err(TryRecvError::Empty) => group.step()?,
        }
        if progress.elapsed() >= PROGRESS {
            group.report_progress()?;
            progress = Instant::now();
        }
    }
    Ok(())
}

/// The members still in training, the next one to take a step first.
struct Group<W: Write> {
    sessions: VecDeque<Session>,
    reporter: Reporter<W>,
}

impl<W: Write> Group<W> {
    fn open(&mut self, members: Vec<Member>, benchmarks: &mut Benchmarks) -> Result<(), ServeError> {
        for member in members {
            let run = member.run;
            match Session::open(member, benchmarks) {
                Ok(session) => self.sessions.push_back(session),
                Err(error) => self.reporter.failed(run, 0, &error)?,
            }
        }
        Ok(())
    }

    fn obey(&mut self, command: &Command) -> Result<(), ServeError> {
        match command {
            Command::Start { .. } => Err(ServeError::OutOfTurn("a group was already started")),
            Command::Stop { run } => self.checkpoint(|session| session.run() == *run, true),
            Command::Shutdown => self.checkpoint(|_| true, true),
            Command::Checkpoint => self.checkpoint(|_| true, false),
        }
    }

    /// A step of the member whose turn it is; it leaves if that was its last.
    fn step(&mut self) -> Result<(), ServeError> {
        let Some(mut session) = self.sessions.pop_front() else { return Ok(()) };
        match session.advance() {
            Ok(events) => {
                for event in &events {
                    self.reporter.report(event)?;
                }
                if !matches!(events.last(), Some(Event::Finished { .. })) {
                    self.sessions.push_back(session);
                }
                Ok(())
            }
            Err(error) => self.reporter.failed(session.run(), session.step(), &error),
        }
    }

    /// Writes a checkpoint of every chosen member, and ends it if `stop`.
    fn checkpoint(&mut self, chosen: impl Fn(&Session) -> bool, stop: bool) -> Result<(), ServeError> {
        for session in std::mem::take(&mut self.sessions) {
            if !chosen(&session) {
                self.sessions.push_back(session);
                continue;
            }
            let (run, step) = (session.run(), session.step());
            match session.checkpoint() {
                Ok(event) => {
                    self.reporter.report(&event)?;
                    if stop {
                        self.reporter.report(&Event::Stopped { run, step })?;
                    } else {
                        self.sessions.push_back(session);
                    }
                }
                Err(error) => self.reporter.failed(run, step, &error)?,
            }
        }
        Ok(())
    }

    fn report_progress(&mut self) -> Result<(), ServeError> {
        for session in &self.sessions {
            self.reporter.report(&Event::Progress { run: session.run(), step: session.step() })?;
        }
        Ok(())
    }
}
