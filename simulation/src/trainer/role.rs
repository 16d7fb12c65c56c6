//! A trainer's part: what it hears and says, from `ready` to its end.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::future::pending;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use acai_sweep::trainer_protocol::{Command, Event, FailureKind, Member};
use acai_sweep::training::IMAGES_PER_KIMG;
use rand::RngExt;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines};
use tokio::time::sleep;

use super::model::{LOSS, Model, picture};
use super::temper::Temper;
use crate::journal::{Attempt, Journal};

/// A trainer that is slow is so for as many steps as a run has: slow for all the runs that it stays for, it would not be done in time.
const SLOW_STEPS: u64 = 64;

/// Exit codes, as the system encodes them: an ordinary end, one with an error, and signal 9.
const WELL: i32 = 0;
const WITH_ERROR: i32 = 1 << 8;
const KILLED: i32 = 9;

/// Trains what it is told; answers how it exits.
pub(super) async fn act(
    temper: Temper,
    host: &'static str,
    commands: DuplexStream,
    events: DuplexStream,
    printed: DuplexStream,
    journal: &Journal,
) -> i32 {
    let mut trainer = Trainer {
        temper,
        host,
        commands: BufReader::new(commands).lines(),
        events,
        printed,
        group: BTreeMap::new(),
        steps: 0,
        stays: false,
        journal,
    };
    // Whoever cannot be heard any more has no agent.
    trainer.work().await.unwrap_or(WITH_ERROR)
}

struct Trainer<'a> {
    temper: Temper,
    host: &'static str,
    commands: Lines<BufReader<DuplexStream>>,
    events: DuplexStream,
    printed: DuplexStream,
    group: BTreeMap<u64, Training>,
    /// Steps that this process has done.
    steps: u64,
    stays: bool,
    journal: &'a Journal,
}

/// A run that is being trained.
struct Training {
    model: Model,
    step: u64,
    weights: u64,
    folder: PathBuf,
    checkpoint_every: u64,
    /// Of the last checkpoint.
    saved: u64,
}

impl Trainer<'_> {
    async fn work(&mut self) -> io::Result<i32> {
        sleep(between(50, 3_000)).await;
        if self.temper == Temper::NeverReady {
            self.print("no library\n").await?;
            return Ok(WITH_ERROR);
        }
        let can_stay = rand::random_bool(0.5);
        let can_join = can_stay && self.journal.has_joining_trainers();
        self.say(&Event::Ready {
            version: "simulated".to_owned(),
            device: "cpu".to_owned(),
            threads: 1,
            libtorch: "none".to_owned(),
            can_stay,
            can_join,
        })
        .await?;
        loop {
            if self.group.is_empty() {
                let Some(line) = self.commands.next_line().await? else { return Ok(WELL) };
                if let Some(code) = self.obey(&line).await? {
                    return Ok(code);
                }
            }
            if let Some(code) = self.train().await? {
                return Ok(code);
            }
            if self.temper == Temper::Lingers {
                self.hear_out().await?;
            }
            if !self.stays {
                return Ok(WELL);
            }
        }
    }

    /// Trains until no run is left; or how it exits before.
    async fn train(&mut self) -> io::Result<Option<i32>> {
        while !self.group.is_empty() {
            let step_time = self.step_time();
            tokio::select! {
                biased;
                line = self.commands.next_line(), if self.temper != Temper::IsDeaf => {
                    let Some(line) = line? else { return Ok(Some(WELL)) };
                    if let Some(code) = self.obey(&line).await? {
                        return Ok(Some(code));
                    }
                }
                () = sleep(step_time) => {
                    if self.temper.turns_after().is_some_and(|steps| self.steps >= steps)
                        && let Some(code) = self.turn().await?
                    {
                        return Ok(Some(code));
                    }
                    if self.is_poisoned() {
                        self.print("an assertion of one of the runs failed\n").await?;
                        return Ok(Some(WITH_ERROR));
                    }
                    self.step().await?;
                }
            }
        }
        Ok(None)
    }

    /// Whether one of the runs breaks this trainer at its next step.
    fn is_poisoned(&self) -> bool {
        let is_poisoned = self.group.iter().any(|(run, of)| self.journal.is_poison(*run, of.step + 1));
        if is_poisoned {
            self.journal.trains(Temper::Crashes(self.steps), &self.attempts());
        }
        is_poisoned
    }

    fn step_time(&self) -> Duration {
        match self.temper {
            Temper::IsSlow => between(10_000, 30_000),
            Temper::Floods => Duration::from_millis(1),
            _ => between(100, 4_000),
        }
    }

    /// One step of every run.
    async fn step(&mut self) -> io::Result<()> {
        self.steps += 1;
        if self.temper == Temper::IsSlow && self.steps >= SLOW_STEPS {
            self.temper = Temper::Good;
        }
        if self.temper == Temper::Floods && self.steps < 3_000 {
            self.print("a warning\n").await?;
            let Some((run, step)) = self.group.iter().map(|(run, of)| (*run, of.step)).next() else {
                return Ok(());
            };
            return self.say(&Event::Progress { run, step, in_turns: false }).await;
        }
        for run in self.group.keys().copied().collect::<Vec<_>>() {
            let Some(training) = self.group.get_mut(&run) else { continue };
            if training.step < training.model.total {
                training.step += 1;
                training.weights = training.model.weights(training.step);
            }
            let (step, points) = (training.step, training.model.points(training.step, training.weights));
            for (name, value) in points {
                let values = BTreeMap::from([(name.to_owned(), value)]);
                self.say(&match name {
                    LOSS => Event::Metric { run, step, values },
                    _ => Event::Evaluated { run, step, values },
                })
                .await?;
            }
            self.after_step(run).await?;
        }
        Ok(())
    }

    /// Checkpoints and pictures that are due, and the end.
    async fn after_step(&mut self, run: u64) -> io::Result<()> {
        let Some(Training { step, model, weights, checkpoint_every, folder, saved }) = self.group.get(&run)
        else {
            return Ok(());
        };
        let weights = *weights;
        let (step, is_last, folder) = (*step, *step == model.total, folder.clone());
        let is_due = step.is_multiple_of(*checkpoint_every) || is_last;
        let is_saved = *saved >= step;
        self.say(&Event::Progress { run, step, in_turns: false }).await?;
        if is_due && !is_saved && !self.save(run).await? {
            return Ok(());
        }
        if is_due && rand::random_bool(0.3) {
            let path = folder.join(format!("samples-{step:09}.png"));
            if fs::write(&path, picture(weights)).is_ok() {
                self.say(&Event::Artifact { run, step, path }).await?;
            }
        }
        if is_last {
            self.leaves(run);
            self.say(&Event::Finished { run, step }).await?;
        }
        Ok(())
    }

    /// Writes a checkpoint and tells of it. False: the disk did not take it, and the run has ended.
    async fn save(&mut self, run: u64) -> io::Result<bool> {
        let Some(training) = self.group.get_mut(&run) else { return Ok(false) };
        let step = training.step;
        let path = training.folder.join(format!("checkpoint-{step:09}.weights"));
        let flushes = !self.journal.has_careless_trainers() || rand::random_bool(0.5);
        match write(&path, &training.model.checkpoint(step, training.weights), flushes) {
            Ok(()) => {
                training.saved = step;
                self.say(&Event::Checkpoint { run, step, path }).await?;
                Ok(true)
            }
            Err(error) => {
                let message = format!("cannot write the checkpoint: {error}");
                self.fail(run, step, FailureKind::Machine, message).await?;
                Ok(false)
            }
        }
    }

    async fn fail(&mut self, run: u64, step: u64, kind: FailureKind, message: String) -> io::Result<()> {
        self.leaves(run);
        self.say(&Event::Failed { run, step, kind, message }).await
    }

    /// Does what the agent wants; or how it exits.
    async fn obey(&mut self, line: &str) -> io::Result<Option<i32>> {
        match serde_json::from_str(line).map_err(io::Error::other)? {
            Command::Start { group, stay } => {
                self.stays = stay;
                self.is_joined_by(&group);
                for member in group {
                    self.begin(member).await?;
                }
            }
            Command::Join { group } => {
                self.is_joined_by(&group);
                for member in group {
                    self.begin(member).await?;
                }
            }
            Command::Stop { run } => self.stop(run).await?,
            Command::Checkpoint => {
                for run in self.group.keys().copied().collect::<Vec<_>>() {
                    self.save(run).await?;
                }
            }
            Command::Shutdown => {
                for run in self.group.keys().copied().collect::<Vec<_>>() {
                    self.stop(run).await?;
                }
                return Ok(Some(WELL));
            }
        }
        Ok(None)
    }

    /// Notes that these runs are given to this trainer beside those that it has.
    fn is_joined_by(&self, newcomers: &[Member]) {
        let mut attempts = self.attempts();
        attempts.extend(newcomers.iter().map(|member| self.attempt(member.run, &member.folder)));
        self.journal.trains(self.temper, &attempts);
    }

    /// The attempts that this trainer has.
    fn attempts(&self) -> Vec<Attempt> {
        self.group.iter().map(|(run, of)| self.attempt(*run, &of.folder)).collect()
    }

    /// The attempt at a run that has this folder, which is called after the attempt's number.
    fn attempt(&self, run: u64, folder: &Path) -> Attempt {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let number = name.split('-').nth(1).and_then(|number| number.parse().ok()).unwrap_or_default();
        Attempt { run, number, host: self.host.to_owned() }
    }

    /// Does nothing that it is told. Whatever it is given suffers from that all the same.
    fn hear(&self, line: &str) {
        if let Ok(Command::Join { group }) = serde_json::from_str(line) {
            self.is_joined_by(&group);
        }
    }

    /// Does nothing any more.
    async fn hear_out(&mut self) -> io::Result<()> {
        while let Some(line) = self.commands.next_line().await? {
            self.hear(&line);
        }
        pending().await
    }

    /// The run has ended. One that is left alone suffers alone from what this trainer does wrong.
    fn leaves(&mut self, run: u64) {
        self.group.remove(&run);
        if self.group.len() == 1 && self.temper != Temper::Good {
            self.journal.trains(self.temper, &self.attempts());
        }
    }

    async fn begin(&mut self, member: Member) -> io::Result<()> {
        let (run, model) = (member.run, Model::new(&member.config, member.seed));
        let resumed = match &member.resume {
            None => Some((0, model.weights(0))),
            Some(path) => match fs::read_to_string(path) {
                Ok(file) => model.read(&file),
                Err(error) => {
                    let message = format!("cannot read the checkpoint: {error}");
                    return self.fail(run, 0, FailureKind::Machine, message).await;
                }
            },
        };
        let Some((step, weights)) = resumed else {
            self.journal.refuses(run);
            let message = "the checkpoint is damaged, or of something else".to_owned();
            return self.fail(run, 0, FailureKind::Checkpoint, message).await;
        };
        let steps = member.checkpoint_kimg * IMAGES_PER_KIMG / f64::from(member.config.batch);
        let checkpoint_every = (steps.ceil() as u64).max(1);
        let training =
            Training { model, step, weights, folder: member.folder, checkpoint_every, saved: step };
        self.group.insert(run, training);
        Ok(())
    }

    async fn stop(&mut self, run: u64) -> io::Result<()> {
        let Some(Training { step, saved, .. }) = self.group.get(&run) else { return Ok(()) };
        let step = *step;
        if *saved < step && !self.save(run).await? {
            return Ok(());
        }
        self.leaves(run);
        self.say(&Event::Stopped { run, step }).await
    }

    /// Goes wrong; how it exits, if it does.
    async fn turn(&mut self) -> io::Result<Option<i32>> {
        let Some((run, step)) = self.group.iter().map(|(run, of)| (*run, of.step)).next() else {
            return Ok(None);
        };
        match self.temper {
            Temper::Crashes(_) => {
                self.print("an assertion failed\n").await?;
                return Ok(Some(WITH_ERROR));
            }
            Temper::IsKilled(_) => return Ok(Some(KILLED)),
            Temper::Hangs(_) => self.hear_out().await?,
            Temper::IsStuck(_) => loop {
                tokio::select! {
                    biased;
                    line = self.commands.next_line() => {
                        let Some(line) = line? else { return Ok(Some(WITH_ERROR)) };
                        self.hear(&line);
                    }
                    () = sleep(Duration::from_secs(1)) => self.say(&Event::Progress { run, step, in_turns: false }).await?,
                }
            },
            Temper::Garbles(_) => self.events.write_all(b"half an event\n").await?,
            Temper::Meddles(_) => {
                self.say(&Event::Progress { run: run + 1_000_000, step, in_turns: false }).await?;
            }
            Temper::Strays(_) => {
                let path = PathBuf::from("/checkpoint-000000001.weights");
                self.say(&Event::Checkpoint { run, step, path }).await?;
            }
            Temper::LacksMemory(_) => {
                self.fail(run, step, FailureKind::Machine, "no memory left".to_owned()).await?;
            }
            _ => {}
        }
        // Once is enough.
        self.temper = Temper::Good;
        Ok(None)
    }

    async fn say(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event).map_err(io::Error::other)?;
        line.push(b'\n');
        self.events.write_all(&line).await
    }

    async fn print(&mut self, text: &str) -> io::Result<()> {
        self.printed.write_all(text.as_bytes()).await
    }
}

/// As trainers write: under another name first, so that a crash leaves no half file. Not all flush it.
fn write(path: &Path, content: &str, flushes: bool) -> io::Result<()> {
    let temporary = path.with_added_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(content.as_bytes())?;
    if flushes {
        file.sync_all()?;
    }
    fs::rename(temporary, path)
}

fn between(shortest_ms: u64, longest_ms: u64) -> Duration {
    Duration::from_millis(rand::rng().random_range(shortest_ms..=longest_ms))
}
