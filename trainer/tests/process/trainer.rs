//! The program under test, and small runs for it.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use acai_sweep::trainer_protocol::{Command as Order, Event, Member};
use acai_sweep::training::{Dataset, Model, Precision, TrainingConfig};
use rustix::process::{Pid, Signal, kill_process};

pub(crate) fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_acai-trainer"));
    program.env_remove("ACAI_DATA");
    program
}

/// A process serving a worker, with one thread: the number is part of what makes runs bit-equal.
pub(crate) struct Trainer {
    process: Child,
    orders: Option<ChildStdin>,
    events: Lines<BufReader<ChildStdout>>,
}

impl Trainer {
    pub(crate) fn start(group: Vec<Member>) -> Trainer {
        Trainer::spawn().given(group)
    }

    /// A trainer with limits of the system, given as a line of shell.
    pub(crate) fn start_limited(limits: &str, group: Vec<Member>) -> Trainer {
        Trainer::limited(limits).given(group)
    }

    pub(crate) fn limited(limits: &str) -> Trainer {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{limits}; exec \"$0\" serve --threads 1")]).arg(program().get_program());
        Trainer::of(shell)
    }

    pub(crate) fn spawn() -> Trainer {
        let mut program = program();
        program.args(["serve", "--threads", "1"]);
        Trainer::of(program)
    }

    fn given(mut self, group: Vec<Member>) -> Trainer {
        assert!(matches!(self.next(), Some(Event::Ready { threads: 1, can_stay: true, can_join: true, .. })));
        self.order(&Order::Start { group, stay: false });
        self
    }

    /// Has it train a group and stay. All events until each run has ended.
    pub(crate) fn train(&mut self, group: Vec<Member>) -> Vec<Event> {
        let mut left = group.len();
        self.order(&Order::Start { group, stay: true });
        let mut events = Vec::new();
        while left > 0 {
            let event = self.next().expect("the runs end before the trainer does");
            left -= usize::from(matches!(event, Event::Finished { .. } | Event::Failed { .. }));
            events.push(event);
        }
        events
    }

    pub(crate) fn of(mut program: Command) -> Trainer {
        let streams = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = streams.spawn().expect("the program starts");
        let orders = process.stdin.take();
        let events = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        Trainer { process, orders, events }
    }

    pub(crate) fn order(&mut self, order: &Order) {
        self.write(&serde_json::to_string(order).expect("an order is JSON"));
    }

    pub(crate) fn write(&mut self, line: &str) {
        let orders = self.orders.as_mut().expect("the input is open");
        writeln!(orders, "{line}").expect("the trainer listens");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("it is running");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn hang_up(&mut self) {
        self.orders = None;
    }

    /// `SIGKILL`; answers as [`Self::end`] does.
    pub(crate) fn kill(mut self) -> (Vec<Event>, ExitStatus, String) {
        self.process.kill().expect("it can be killed");
        self.end()
    }

    /// The next event that does not depend on the clock; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            match self.next_of_any_kind()? {
                Event::Progress { .. } | Event::Working { .. } => {}
                event => return Some(event),
            }
        }
    }

    fn next_of_any_kind(&mut self) -> Option<Event> {
        let line = self.events.next()?.expect("its output is text");
        Some(serde_json::from_str(&line).expect("each line is an event"))
    }

    /// Waits until a run is at something that takes long.
    pub(crate) fn until_working(&mut self) {
        while !matches!(self.next_of_any_kind().expect("it is at work"), Event::Working { .. }) {}
    }

    pub(crate) fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().expect("the event comes before the end");
            if wanted(&event) {
                return event;
            }
        }
    }

    /// All further events, the exit status and what it wrote for people.
    pub(crate) fn end(mut self) -> (Vec<Event>, ExitStatus, String) {
        let events = std::iter::from_fn(|| self.next()).collect();
        let stderr = self.process.stderr.take().expect("it is piped");
        let log = std::io::read_to_string(stderr).expect("its log is text");
        (events, self.process.wait().expect("it ends"), log)
    }
}

impl Drop for Trainer {
    fn drop(&mut self) {
        // Ends what a failed test leaves; an error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A small run of `steps` steps on digits, with a checkpoint every 8.
pub(crate) fn member(run: u64, model: Model, steps: u32, folder: &Path) -> Member {
    fs::create_dir_all(folder).expect("the folder can be made");
    let batch = 8;
    let kimg = |steps: u32| f64::from(steps * batch) / 1024.0;
    let config = TrainingConfig {
        model,
        dataset: Dataset::Digits32,
        depth: 2,
        latent: 2,
        latent_width: 8,
        batch,
        lr: 1e-3,
        total_kimg: kimg(steps),
        eval_kimg: kimg(12),
        precision: Precision::Fp32,
        kmeans_inits: 2,
    };
    let folder = folder.to_owned();
    let (own, checkpoint_kimg) = (Default::default(), kimg(8));
    Member { run, seed: run, config, own, folder, resume: None, checkpoint_kimg, weights: false }
}

pub(crate) const ACAI: Model = Model::Acai { lambda: 0.5, gamma: 0.2, advdepth: 2 };

pub(crate) fn checkpoint(folder: &Path, step: u64) -> PathBuf {
    folder.join(format!("checkpoint-{step:09}.safetensors"))
}

/// More steps than any test waits for.
pub(crate) const ENDLESS: u32 = 10_000_000;

/// What a run reported after a step.
pub(crate) fn metrics(events: &[Event], run: u64, after: u64) -> Vec<&Event> {
    let later = |event: &&Event| match event {
        Event::Metric { run: r, step, .. } | Event::Evaluated { run: r, step, .. } => {
            *r == run && *step > after
        }
        _ => false,
    };
    events.iter().filter(later).collect()
}
