//! Tells a trainer that hangs from one that works, by the steps that are done rather than by signs of life.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use acai_sweep::trainer_protocol::Event;
use tokio::time::Instant;

/// How many times its usual time a trainer may take for a step, if that is more than [`Limits::step`].
const PATIENCE: u32 = 20;
/// How many steps are remembered; their median is the usual time.
const REMEMBERED: usize = 63;

/// How long a trainer may go on without a new step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Until the first step, while the trainer loads data and compiles kernels.
    pub(crate) setup: Duration,
    /// Until each further step, evaluation or checkpoint; longer for a trainer whose steps take long.
    pub(crate) step: Duration,
}

/// Watches one trainer. The runs of a group share its process, and it may train them one after the other, so a new step
/// of any of them shows that the trainer works.
#[derive(Debug)]
pub(super) struct ProgressWatch {
    limits: Limits,
    /// Highest step of each run, and when it was reached.
    runs: BTreeMap<u64, (u64, Instant)>,
    /// Whether any run has made a new step.
    set_up: bool,
    /// When something was last done.
    since: Instant,
    /// Times between two steps of a run.
    intervals: VecDeque<Duration>,
    /// Since when the trainer may have to wait; see [`Self::hold`].
    held_since: Option<Instant>,
}

impl ProgressWatch {
    /// Begins at `now` with these runs and the steps from which they continue.
    pub(super) fn new(limits: Limits, runs: impl IntoIterator<Item = (u64, u64)>, now: Instant) -> Self {
        let runs = runs.into_iter().map(|(run, step)| (run, (step, now))).collect();
        Self { limits, runs, set_up: false, since: now, intervals: VecDeque::new(), held_since: None }
    }

    /// A further run is trained too, from this step on.
    pub(super) fn follow(&mut self, run: u64, step: u64, now: Instant) {
        self.runs.insert(run, (step, now));
    }

    /// Takes in what an event says of the trainer's progress.
    pub(super) fn observe(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Metric { run, step, .. } | Event::Progress { run, step, .. } => {
                self.step(*run, *step, now);
            }
            Event::Working { run, step }
            | Event::Evaluated { run, step, .. }
            | Event::Checkpoint { run, step, .. }
            | Event::Artifact { run, step, .. }
            | Event::Finished { run, step }
            | Event::Stopped { run, step }
            | Event::Failed { run, step, .. } => {
                self.step(*run, *step, now);
                self.work(now);
            }
            Event::Ready { .. } => {}
        }
    }

    /// `run` is at `step`.
    fn step(&mut self, run: u64, step: u64, now: Instant) {
        let Some((highest, reached)) = self.runs.get_mut(&run).filter(|(highest, _)| step > *highest) else {
            return;
        };
        if self.set_up {
            self.intervals.push_back(now.duration_since(*reached));
            if self.intervals.len() > REMEMBERED {
                self.intervals.pop_front();
            }
        }
        (*highest, *reached) = (step, now);
        self.set_up = true;
        self.since = now;
    }

    /// Something other than a step was done: an evaluation, a checkpoint, a picture, a run.
    fn work(&mut self, now: Instant) {
        self.since = now;
    }

    /// The trainer may have to wait from now on until its reports are taken. That time does not count, since the delay
    /// is not the trainer's fault.
    pub(super) fn hold(&mut self, now: Instant) {
        self.held_since.get_or_insert(now);
    }

    /// The trainer does not wait any more.
    pub(super) fn go_on(&mut self, now: Instant) {
        let Some(held) = self.held_since.take().map(|since| now.duration_since(since)) else { return };
        self.since += held;
        for (_, reached) in self.runs.values_mut() {
            *reached += held;
        }
    }

    /// For how long nothing has been done, once that is too long.
    pub(super) fn stuck(&self, now: Instant) -> Option<Duration> {
        let idle = now.saturating_duration_since(self.since);
        (idle >= self.allowed()).then_some(idle)
    }

    fn allowed(&self) -> Duration {
        if self.set_up { self.limits.step.max(self.usual() * PATIENCE) } else { self.limits.setup }
    }

    fn usual(&self) -> Duration {
        let mut intervals: Vec<Duration> = self.intervals.iter().copied().collect();
        intervals.sort_unstable();
        intervals.get(intervals.len() / 2).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const LIMITS: Limits = Limits { setup: Duration::from_secs(1800), step: Duration::from_secs(300) };

    fn watch(start: Instant) -> ProgressWatch {
        ProgressWatch::new(LIMITS, [(1, 0), (2, 500)], start)
    }

    #[test]
    fn a_trainer_that_has_not_done_its_first_step_is_stuck_after_the_setup_limit() {
        let start = Instant::now();
        let mut watch = watch(start);
        assert_eq!(watch.stuck(start + 29 * MINUTE), None);
        // The step that a run continues from is not a new one.
        watch.step(2, 500, start + 29 * MINUTE);
        assert_eq!(watch.stuck(start + 30 * MINUTE), Some(30 * MINUTE));
    }

    #[test]
    fn a_step_that_is_repeated_is_no_progress() {
        let start = Instant::now();
        let mut watch = watch(start);
        watch.step(1, 1, start + MINUTE);
        watch.step(1, 1, start + 5 * MINUTE);
        assert_eq!(watch.stuck(start + 6 * MINUTE - Duration::from_millis(1)), None);
        assert_eq!(watch.stuck(start + 6 * MINUTE), Some(5 * MINUTE));
    }

    #[test]
    fn a_group_makes_progress_when_one_of_its_runs_does() {
        let start = Instant::now();
        let mut watch = watch(start);
        for minute in 1..60 {
            watch.step(2, 500 + u64::from(minute), start + minute * MINUTE);
            assert_eq!(watch.stuck(start + minute * MINUTE), None);
        }
    }

    #[test]
    fn a_trainer_whose_steps_take_long_is_given_twenty_times_its_median() {
        let start = Instant::now();
        let mut watch = watch(start);
        for step in 1..=9 {
            watch.step(1, step, start + step as u32 * MINUTE);
        }
        let last = start + 9 * MINUTE;
        assert_eq!(watch.stuck(last + 20 * MINUTE - Duration::from_millis(1)), None);
        assert_eq!(watch.stuck(last + 20 * MINUTE), Some(20 * MINUTE));
    }

    #[test]
    fn an_evaluation_counts_as_work_without_a_new_step() {
        let start = Instant::now();
        let mut watch = watch(start);
        watch.step(1, 1, start);
        watch.work(start + 4 * MINUTE);
        assert_eq!(watch.stuck(start + 8 * MINUTE), None);
        assert_eq!(watch.stuck(start + 9 * MINUTE), Some(5 * MINUTE));
    }

    #[test]
    fn time_in_which_reports_were_not_taken_does_not_count() {
        let start = Instant::now();
        let mut watch = watch(start);
        watch.step(1, 1, start);
        watch.hold(start + MINUTE);
        watch.hold(start + 30 * MINUTE);
        watch.go_on(start + 61 * MINUTE);
        assert_eq!(watch.stuck(start + 64 * MINUTE), None);
        assert_eq!(watch.stuck(start + 65 * MINUTE), Some(5 * MINUTE));
    }
}
