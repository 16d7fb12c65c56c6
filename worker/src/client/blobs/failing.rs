//! Since when the place of checkpoints takes nothing, as far as uploads that came to the coordinator tell.

use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// When tries began to fail and when the last one did, if none has come through since. A coordinator that is away does not count;
/// neither does what it refuses, or has already. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Failing(watch::Sender<Option<(Instant, Instant)>>);

impl Default for Failing {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Failing {
    /// The coordinator could not bring a file to its place.
    pub(super) fn fails(&self) {
        let now = Instant::now();
        self.0.send_modify(|failing| *failing = Some((failing.map_or(now, |(first, _)| first), now)));
    }

    /// A file was taken.
    pub(super) fn is_over(&self) {
        self.0.send_if_modified(|failing| failing.take().is_some());
    }

    /// Resolves when that has lasted for so long, and a try has failed since `after`.
    pub(super) async fn lasts(&self, patience: Duration, after: Instant) {
        let mut failing = self.0.subscribe();
        loop {
            let failed = *failing.borrow_and_update();
            let lasted = async {
                match failed {
                    Some((first, last)) if last >= after => sleep_until(first + patience).await,
                    _ => pending().await,
                }
            };
            tokio::select! {
                () = lasted => return,
                _ = failing.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failing_lasts_from_the_first_failure_until_a_file_is_taken() {
        let (failing, patience) = (Failing::default(), Duration::from_secs(60));
        let begun = Instant::now();
        let lasts =
            async |within| timeout(Duration::from_secs(within), failing.lasts(patience, begun)).await.is_ok();
        assert!(!lasts(3600).await, "nothing has failed");
        failing.fails();
        assert!(!lasts(30).await);
        // Later failures begin nothing anew.
        failing.fails();
        assert!(lasts(31).await);
        failing.is_over();
        assert!(!lasts(3600).await);
        failing.fails();
        advance(patience).await;
        assert!(lasts(1).await);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_before_do_not_count_alone() {
        let (failing, patience) = (Failing::default(), Duration::from_secs(60));
        failing.fails();
        advance(2 * patience).await;
        let now = Instant::now();
        let lasts = async || timeout(patience, failing.lasts(patience, now)).await.is_ok();
        assert!(!lasts().await, "a try may be under way that comes through");
        failing.fails();
        assert!(lasts().await);
    }
}
