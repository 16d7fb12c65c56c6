//! How far a sweep is: one moving line on a terminal, a line now and then elsewhere.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use acai_proto::v1::{GetSweepResponse, RunState, Sweep};
use acai_sweep::spelling::printable;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::format::{self, count, percent};
use crate::output::Output;
use crate::speed::Speed;

/// With less room on the disk a checkpoint, or the database, may soon find none.
const LITTLE_ROOM: u64 = 64 << 20;

/// Between two lines where the output is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(20);

pub(super) struct Progress {
    output: Output,
    bar: ProgressBar,
    started: Instant,
    speed: Speed,
    last_line: Instant,
    known_failures: HashSet<(u64, u32)>,
    /// Why slots rest, as it was last said.
    known_rest: Option<String>,
    /// Whether it was said that the disk has little room, and has had since.
    knows_little_room: bool,
}

impl Progress {
    pub(super) fn new(status: &GetSweepResponse, output: Output) -> Self {
        let bar = if output.draws_progress() { ProgressBar::new(1) } else { ProgressBar::hidden() };
        // A template that is wrong falls back to the default one.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3}%  {msg}") {
            bar.set_style(style);
        }
        let mut progress = Progress {
            output,
            bar,
            started: Instant::now(),
            speed: Speed::default(),
            last_line: Instant::now(),
            known_failures: status.failures.iter().map(|run| (run.id, run.failures)).collect(),
            known_rest: None,
            knows_little_room: false,
        };
        progress.show(status);
        progress
    }

    /// Says once why slots rest.
    pub(super) fn show_rest(&mut self, reason: Option<String>) {
        if let Some(reason) = reason.as_ref().filter(|reason| self.known_rest.as_ref() != Some(*reason)) {
            let reason = printable(reason);
            let text = format!("this machine could not train a run, and tries again in a while: {reason}");
            self.bar.suspend(|| self.output.note(&text));
        }
        self.known_rest = reason.or(self.known_rest.take());
    }

    /// Says so when the disk of the folder gets full: what finds no room there waits, and nothing else would tell.
    pub(super) fn show_room(&mut self, free_bytes: u64, folder: &Path) {
        let is_little = free_bytes < LITTLE_ROOM;
        if is_little && !self.knows_little_room {
            let text = format!(
                "the disk of `{}` has {} MiB left; what finds no room there waits until there is some",
                folder.display(),
                free_bytes >> 20
            );
            self.bar.suspend(|| self.output.note(&text));
        }
        self.knows_little_room = is_little;
    }

    pub(super) fn show(&mut self, status: &GetSweepResponse) {
        let Some(sweep) = &status.sweep else { return };
        for run in &status.failures {
            if self.known_failures.insert((run.id, run.failures)) {
                let text = format!(
                    "#{} failed, now {}: {}",
                    run.number,
                    format::state(run.state),
                    format::in_a_line(&run.message)
                );
                self.bar.suspend(|| self.output.note(&text));
            }
        }
        let now = Instant::now();
        self.speed.add(sweep.images_done);
        let line = line(sweep, &self.speed);
        self.bar.set_length(sweep.images_total);
        self.bar.set_position(sweep.images_done);
        self.bar.set_message(line.clone());
        if !self.output.draws_progress() && now.duration_since(self.last_line) >= LINE_EVERY {
            self.last_line = now;
            self.output.note(&format!("{}  {line}", percent(sweep.images_done, sweep.images_total)));
        }
    }

    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
        self.output.note(&format!("trained for {}", HumanDuration(self.started.elapsed())));
    }
}

fn line(sweep: &Sweep, speed: &Speed) -> String {
    let runs: u32 = sweep.counts.iter().map(|count| count.runs).sum();
    let open = count(&sweep.counts, &[RunState::Queued, RunState::Running]);
    let running = count(&sweep.counts, &[RunState::Running]);
    let line = format!("{}/{runs} runs done, {running} running", runs - open);
    speed.words(sweep).map_or(line.clone(), |speed| format!("{line}, {speed}"))
}
