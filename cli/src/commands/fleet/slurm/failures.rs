//! What goes wrong with a fleet's jobs, and how long the loop waits before it tries again.

use std::time::Duration;

use tokio::time::Instant;

/// Waits after the first failure in a row, the second, and so on; the last one from then on.
const WAITS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];
/// After so many jobs in a row that ended without a worker the fleet is paused: somebody has to look.
const MOST_JOBS: u32 = 3;

/// The failures in a row.
#[derive(Debug, Default)]
pub(super) struct Failures {
    in_a_row: u32,
    jobs_in_a_row: u32,
    not_before: Option<Instant>,
    /// Why nothing is submitted until somebody starts the loop again.
    pub(super) paused: Option<String>,
}

impl Failures {
    /// Slurm took no job. Answers how long to wait.
    pub(super) fn refused(&mut self, now: Instant) -> Duration {
        let wait = WAITS[(self.in_a_row as usize).min(WAITS.len() - 1)];
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.not_before = now.checked_add(wait);
        wait
    }

    /// A job ended, and nobody has ever heard of its worker.
    pub(super) fn job_failed(&mut self, now: Instant, why: &str) -> Duration {
        self.jobs_in_a_row += 1;
        if self.jobs_in_a_row >= MOST_JOBS {
            self.paused = Some(why.to_owned());
        }
        self.refused(now)
    }

    /// A job's worker came: whatever was wrong is not any more.
    pub(super) fn worker_came(&mut self) {
        *self = Failures { paused: self.paused.take(), ..Failures::default() };
    }

    /// Whether jobs may be submitted now.
    pub(super) fn may_submit(&self, now: Instant) -> bool {
        self.paused.is_none() && self.not_before.is_none_or(|at| now >= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_tried_again_ever_more_slowly_and_a_worker_that_comes_ends_that() {
        let (mut failures, now) = (Failures::default(), Instant::now());
        let minutes = [0, 1, 5, 15, 60, 60];
        assert_eq!(minutes.map(|_| failures.refused(now).as_secs() / 60), minutes);
        assert!(!failures.may_submit(now + Duration::from_secs(3599)));
        assert!(failures.may_submit(now + Duration::from_secs(3600)));
        failures.worker_came();
        assert!(failures.may_submit(now));
        assert_eq!(failures.refused(now), Duration::ZERO);
    }

    #[test]
    fn three_jobs_in_a_row_without_a_worker_pause_the_fleet_and_say_why() {
        let (mut failures, now) = (Failures::default(), Instant::now());
        failures.job_failed(now, "first");
        failures.worker_came();
        failures.job_failed(now, "second");
        failures.job_failed(now, "third");
        assert!(failures.may_submit(now + Duration::from_secs(60)));
        failures.job_failed(now, "no such module: cuda");
        assert!(!failures.may_submit(now + Duration::from_secs(24 * 3600)));
        assert_eq!(failures.paused.as_deref(), Some("no such module: cuda"));
    }
}
