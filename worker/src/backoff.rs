//! Waiting between tries, so that not all workers call a coordinator at once when it comes back.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// Exponential backoff from 0.2 s to 5 s, with jitter over the upper half of each delay.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Waits before the next try.
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(delay(self.failures, rand::random())).await;
        self.failures = self.failures.saturating_add(1);
    }

    /// A try succeeded.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Delay after `failures` earlier failures; `chance` in [0, 1) spreads it over [1/2, 1) of its length.
fn delay(failures: u32, chance: f64) -> Duration {
    let full = FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST);
    full.mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_one_and_half_of_each_is_random() {
        assert_eq!(delay(0, 0.0), Duration::from_millis(100));
        assert_eq!(delay(2, 0.5), Duration::from_millis(600));
        assert_eq!(delay(u32::MAX, 0.0), LONGEST / 2);
        assert!(delay(u32::MAX, 0.999) < LONGEST);
    }
}
