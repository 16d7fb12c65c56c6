use tokio::sync::watch;
use tokio::time::Instant;

/// Whether the worker was told to stop, and when.
#[derive(Debug, Default)]
pub(crate) struct Stop(watch::Sender<Option<Instant>>);

impl Stop {
    /// Tells the worker to stop; only the first time counts.
    pub(crate) fn ask(&self) {
        self.0.send_if_modified(|asked| asked.replace(Instant::now()).is_none());
    }

    /// Resolves when the worker is told to stop, with the time at which it was.
    pub(crate) async fn asked(&self) -> Instant {
        let asked = self.0.subscribe().wait_for(Option::is_some).await.ok().and_then(|asked| *asked);
        asked.unwrap_or_else(Instant::now)
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.borrow().is_some()
    }
}
