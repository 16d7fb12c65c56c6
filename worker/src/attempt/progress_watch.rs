//! Telling a trainer that hangs from one that works, by what it has done rather than by its heartbeat.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// A trainer's own pace counts too: it may take this many times its usual time for a step.
const PATIENCE: u32 = 20;
/// Steps whose median is the usual time.
const REMEMBERED: usize = 63;

/// How long a trainer may go on without a new step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Until the first one: loading data and compiling kernels.
    pub(crate) setup: Duration,
    /// Afterwards at least, with evaluations and checkpoints in between.
    pub(crate) step: Duration,
}

/// Watches one trainer. The runs of a group share its process, and it may train them one after the
/// other, so a new step of any of them is a sign of life of all.
#[derive(Debug)]
pub(crate) struct ProgressWatch {
    limits: Limits,
    /// Highest step of each run, and when it was reached.
    runs: BTreeMap<u64, (u64, Instant)>,
    /// Whether there has been a new step.
    set_up: bool,
    /// When something was last done.
    since: Instant,
    /// Times between two steps of a run.
    intervals: VecDeque<Duration>,
    held_since: Option<Instant>,
}

impl ProgressWatch {
    /// Begins at `now` with these runs and the steps from which they continue.
    pub(crate) fn new(limits: Limits, runs: impl IntoIterator<Item = (u64, u64)>, now: Instant) -> Self {
        let runs = runs.into_iter().map(|(run, step)| (run, (step, now))).collect();
        Self { limits, runs, set_up: false, since: now, intervals: VecDeque::new(), held_since: None }
    }

    /// `run` is at `step`.
    pub(crate) fn step(&mut self, run: u64, step: u64, now: Instant) {
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
    pub(crate) fn work(&mut self, now: Instant) {
        self.since = now;
    }

    /// The trainer may have to wait for its reports to be taken; that is not its fault.
    pub(crate) fn hold(&mut self, now: Instant) {
        self.held_since.get_or_insert(now);
    }

    /// It does not wait any more.
    pub(crate) fn go_on(&mut self, now: Instant) {
        let Some(held) = self.held_since.take().map(|since| now.duration_since(since)) else { return };
        self.since += held;
        for (_, reached) in self.runs.values_mut() {
            *reached += held;
        }
    }

    /// For how long nothing has been done, once that is too long.
    pub(crate) fn stuck(&self, now: Instant) -> Option<Duration> {
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
    fn set_up_may_take_long_but_not_for_ever() {
        let start = Instant::now();
        let mut watch = watch(start);
        assert_eq!(watch.stuck(start + 29 * MINUTE), None);
        // Where it continues from is not a new step.
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
    fn one_run_of_a_group_is_enough() {
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
