//! Since when no upload has come through. What is refused, or is there already, does not tell.

use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Since when all tries of uploads fail in a way that a later try may not. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Failing(watch::Sender<Option<Instant>>);

impl Default for Failing {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Failing {
    /// A try failed.
    pub(super) fn fails(&self) {
        self.0.send_if_modified(|since| {
            let is_first = since.is_none();
            since.get_or_insert_with(Instant::now);
            is_first
        });
    }

    /// A file was taken.
    pub(super) fn is_over(&self) {
        self.0.send_if_modified(|since| since.take().is_some());
    }

    /// Resolves when that has lasted for so long.
    pub(super) async fn lasts(&self, patience: Duration) {
        let mut failing = self.0.subscribe();
        loop {
            let since = *failing.borrow_and_update();
            let lasted = async {
                match since {
                    Some(since) => sleep_until(since + patience).await,
                    None => pending().await,
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
    async fn failing_lasts_from_the_first_failure_until_an_upload_comes_through() {
        let (failing, patience) = (Failing::default(), Duration::from_secs(60));
        let lasts =
            async |within| timeout(Duration::from_secs(within), failing.lasts(patience)).await.is_ok();
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
}
