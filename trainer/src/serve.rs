//! Groups of runs, trained for a worker: commands in, events out (`acai_sweep::trainer_protocol`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use acai_sweep::configuration::Configuration;
use acai_sweep::trainer_protocol::{Command, Event, Member};

use crate::benchmark::Benchmarks;
use crate::session::{Group, Refusal, Said, SessionError};

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

/// Waits for a group and trains it until each of its runs has ended; then for the next group, if it is asked to stay. What
/// a run trains does not depend on the groups before.
///
/// A command waits for one step at most, with the evaluations that may be due after it.
///
/// # Errors
/// When the worker is gone or does not keep to the protocol. A run's own error is an event.
pub fn serve<W: Write>(
    commands: &Receiver<Incoming>,
    benchmarks: &mut Benchmarks,
    mut reporter: Reporter<W>,
) -> Result<(), ServeError> {
    let mut is_first = true;
    while let Some((members, stay)) = next_group(commands, is_first)? {
        let (groups, reporter) = (VecDeque::new(), &mut reporter);
        let (told, is_ending) = (Instant::now(), !stay);
        let (most, highest) = (usize::MAX, BTreeMap::new());
        let mut serving = Serving { groups, most, benchmarks, reporter, told, highest, is_ending };
        serving.open(members)?;
        serving.train(commands)?;
        if serving.is_ending {
            break;
        }
        benchmarks.between_groups();
        is_first = false;
    }
    Ok(())
}

/// The next group, and whether to stay after it; none when there is no more to do. Until it comes, nothing is trained that
/// other commands could be about: they crossed with the end of the group before.
fn next_group(
    commands: &Receiver<Incoming>,
    is_first: bool,
) -> Result<Option<(Vec<Member>, bool)>, ServeError> {
    loop {
        match commands.recv() {
            Ok(Ok(Command::Start { group, stay })) => {
                check(&group)?;
                return Ok(Some((group, stay)));
            }
            // The last run of the group that these were to join has just ended. It had been asked to stay.
            Ok(Ok(Command::Join { group })) if !is_first => {
                check(&group)?;
                return Ok(Some((group, true)));
            }
            Ok(Ok(Command::Shutdown)) | Err(_) => return Ok(None),
            Ok(Ok(_)) if is_first => {
                return Err(ServeError::OutOfTurn("the first command must be `start`"));
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error),
        }
    }
}

fn check(group: &[Member]) -> Result<(), ServeError> {
    if group.is_empty() {
        return Err(ServeError::OutOfTurn("the group to train is empty"));
    }
    let numbers: BTreeSet<u64> = group.iter().map(|member| member.run).collect();
    if numbers.len() < group.len() {
        return Err(ServeError::OutOfTurn("the group to train has a run twice"));
    }
    Ok(())
}

/// The members by their shapes.
fn by_shape(members: Vec<Member>) -> Vec<Vec<Member>> {
    let mut shapes: BTreeMap<String, Vec<Member>> = BTreeMap::new();
    for member in members {
        // Without a shape, a configuration makes no sense; opening it says why.
        let shape = Configuration::try_from(&member.config).map(|config| config.shape_key());
        shapes.entry(shape.unwrap_or_default()).or_default().push(member);
    }
    shapes.into_values().collect()
}

/// The runs still in training.
struct Serving<'a, W: Write> {
    /// One for each shape, or more where memory lacks; the next one to take a step first.
    groups: VecDeque<Group>,
    /// So many runs fit into memory as one group, as far as it is known.
    most: usize,
    benchmarks: &'a mut Benchmarks,
    reporter: &'a mut Reporter<W>,
    /// When a run was last said to be at something that takes longer than a step.
    told: Instant,
    /// The highest step at which each run was said to be.
    highest: BTreeMap<u64, u64>,
    /// Whether these are the last runs.
    is_ending: bool,
}

impl<W: Write> Serving<'_, W> {
    /// Trains until each run has ended.
    fn train(&mut self, commands: &Receiver<Incoming>) -> Result<(), ServeError> {
        let mut progress = Instant::now();
        while !self.groups.is_empty() {
            match commands.try_recv() {
                Ok(command) => self.obey(command?)?,
                Err(TryRecvError::Disconnected) => return Err(ServeError::WorkerGone),
                Err(TryRecvError::Empty) => self.step()?,
            }
            if progress.elapsed() >= PROGRESS {
                self.report_progress()?;
                progress = Instant::now();
            }
        }
        Ok(())
    }

    /// Opens a group for each shape among the members: one, from a coordinator that keeps to the protocol.
    fn open(&mut self, members: Vec<Member>) -> Result<(), ServeError> {
        by_shape(members).into_iter().try_for_each(|members| self.open_group(members))
    }

    fn open_group(&mut self, members: Vec<Member>) -> Result<(), ServeError> {
        let (group, refusals) = Group::open(members, self.benchmarks);
        self.groups.extend(group);
        self.refuse(&refusals)
    }

    /// Has further runs join the group of their shape, or else train beside it, in turns with it.
    fn join(&mut self, members: Vec<Member>) -> Result<(), ServeError> {
        check(&members)?;
        let is_training = |run: u64| self.groups.iter().flat_map(Group::steps).any(|(other, _)| other == run);
        if members.iter().any(|member| is_training(member.run)) {
            return Err(ServeError::OutOfTurn("a run that is to join is being trained already"));
        }
        for members in by_shape(members) {
            let (newcomers, refusals) = Group::open(members, self.benchmarks);
            self.refuse(&refusals)?;
            let apart = newcomers.and_then(|newcomers| self.join_group(newcomers));
            self.groups.extend(apart);
        }
        Ok(())
    }

    /// Has a group become part of the smallest one that it can join; gives it back if there is none.
    fn join_group(&mut self, newcomers: Group) -> Option<Group> {
        let (most, size) = (self.most, newcomers.size());
        let fits = |group: &&mut Group| {
            group.shape() == newcomers.shape() && group.can_be_joined() && group.size() + size <= most
        };
        match self.groups.iter_mut().filter(fits).min_by_key(|group| group.size()) {
            Some(group) => group.join(newcomers),
            None => Some(newcomers),
        }
    }

    fn obey(&mut self, command: Command) -> Result<(), ServeError> {
        match command {
            Command::Start { .. } => Err(ServeError::OutOfTurn("a group was already started")),
            Command::Join { group } => self.join(group),
            Command::Stop { run } => self.checkpoint(|other| other == run, true),
            Command::Shutdown => {
                self.is_ending = true;
                self.checkpoint(|_| true, true)
            }
            Command::Checkpoint => self.checkpoint(|_| true, false),
        }
    }

    /// A step of the group whose turn it is.
    fn step(&mut self) -> Result<(), ServeError> {
        let Some(mut group) = self.groups.pop_front() else { return Ok(()) };
        let outcome = group.advance(&mut |run, step| {
            if self.told.elapsed() >= PROGRESS {
                self.told = Instant::now();
                // That the worker is gone shows with what comes next.
                let _ = self.reporter.report(&Event::Working { run, step });
            }
        });
        self.tell_of(&mut group)?;
        match outcome {
            Err(SessionError::Memory(reason)) if group.steps().count() > 1 => self.halve(group, &reason),
            outcome => self.put_back(group, outcome),
        }
    }

    /// Has the runs of a group for which memory lacks go on as two groups, which take turns. They go on from their last
    /// checkpoints: what the step that failed has left of the models is nobody's.
    fn halve(&mut self, mut group: Group, reason: &str) -> Result<(), ServeError> {
        group.written().iter().try_for_each(|event| self.reporter.report(event))?;
        let mut members = group.members();
        drop(group);
        let others = members.split_off(members.len().div_ceil(2));
        let (some, rest) = (members.len(), others.len());
        self.most = some;
        // Nothing is left to be told if standard error is closed.
        let _ = writeln!(
            io::stderr(),
            "warning: {} runs at once need more memory than there is; going on with {some} and {rest} in turns: {reason}",
            some + rest
        );
        self.open_group(members)?;
        self.open_group(others)
    }

    /// Writes a checkpoint of every chosen run, and ends it if `stop`.
    fn checkpoint(&mut self, chosen: impl Fn(u64) -> bool, stop: bool) -> Result<(), ServeError> {
        for mut group in std::mem::take(&mut self.groups) {
            let outcome = group.checkpoint(&chosen, stop);
            self.tell_of(&mut group)?;
            self.put_back(group, outcome)?;
        }
        Ok(())
    }

    /// Says what a group's runs have come to.
    fn tell_of(&mut self, group: &mut Group) -> Result<(), ServeError> {
        let Said { events, refusals } = group.take_said();
        events.iter().try_for_each(|event| self.reporter.report(event))?;
        self.refuse(&refusals)
    }

    /// Keeps a group if any of its runs go on.
    fn put_back(&mut self, mut group: Group, outcome: Result<(), SessionError>) -> Result<(), ServeError> {
        match outcome {
            Ok(()) => {
                if group.steps().next().is_some() {
                    self.groups.push_back(group);
                }
            }
            Err(error) => {
                for event in &group.written() {
                    self.reporter.report(event)?;
                }
                for (run, step) in group.steps() {
                    self.reporter.failed(run, step, &error)?;
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, refusals: &[Refusal]) -> Result<(), ServeError> {
        refusals.iter().try_for_each(|(run, step, error)| self.reporter.failed(*run, *step, error))
    }

    /// A run that was put back to its last checkpoint is at work until it has come as far again: no step of it is new before.
    fn report_progress(&mut self) -> Result<(), ServeError> {
        let in_turns = self.most < usize::MAX;
        let mut highest = BTreeMap::new();
        for (run, step) in self.groups.iter().flat_map(Group::steps) {
            let before = self.highest.get(&run).copied().unwrap_or_default();
            highest.insert(run, step.max(before));
            let event = match step < before {
                true => Event::Working { run, step },
                false => Event::Progress { run, step, in_turns },
            };
            self.reporter.report(&event)?;
        }
        self.highest = highest;
        Ok(())
    }
}
