//! When workers that were granted nothing ask again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A worker that waits alone asks again after this long …
const SOON: Duration = Duration::from_secs(1);
/// … and however many wait, each after this long at the latest.
const LATE: Duration = Duration::from_secs(20);
/// So many workers ask in a second, all together, if more than that wait.
const ASKING: u32 = 50;

/// The workers that wait for work. The more they are, the longer each waits until it asks again: so what they ask costs a
/// coordinator no more than that of a few, and yet one of them asks soon after there is work.
#[derive(Debug, Default)]
pub(super) struct Idle {
    /// When each asked last.
    asked: Mutex<HashMap<String, Instant>>,
}

impl Idle {
    /// Notes that a worker was granted nothing; answers after how long it is to ask again. `share` is drawn from [0, 1): so
    /// workers that ask together once, as they all do after an outage, are spread from then on.
    pub(super) fn wait(&self, worker: &str, now: Instant, share: f64) -> Duration {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, at| now.duration_since(*at) < 2 * LATE);
        asked.insert(worker.to_owned(), now);
        let waiting = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        let even = (Duration::from_secs(1) * (waiting / ASKING)).clamp(SOON, LATE);
        even.mul_f64(if even > SOON { 0.5 + share } else { 1.0 })
    }

    /// Notes that a worker was granted something.
    pub(super) fn ends(&self, worker: &str) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(worker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_workers_wait_the_longer_each_of_them_does_and_fifty_ask_in_a_second() {
        let (idle, start) = (Idle::default(), Instant::now());
        let wait = |worker: u32, share| idle.wait(&worker.to_string(), start, share);
        assert_eq!(wait(0, 0.9), SOON);
        for worker in 1..100 {
            assert!(wait(worker, 0.9) <= 3 * SOON);
        }
        for worker in 100..500 {
            wait(worker, 0.0);
        }
        assert_eq!((wait(0, 0.0), wait(0, 0.5)), (Duration::from_secs(5), Duration::from_secs(10)));
        for worker in 0..400 {
            idle.ends(&worker.to_string());
        }
        assert_eq!(wait(400, 0.0), Duration::from_secs(1));
        let much_later = start + 2 * LATE;
        assert_eq!(idle.wait("another", much_later, 0.9), SOON, "workers that are gone are forgotten");
    }

    #[test]
    fn nobody_waits_for_longer_than_half_a_minute() {
        let (idle, start) = (Idle::default(), Instant::now());
        let longest = (0..10_000).map(|worker| idle.wait(&worker.to_string(), start, 1.0)).max();
        assert_eq!(longest, Some(LATE.mul_f64(1.5)));
    }
}
