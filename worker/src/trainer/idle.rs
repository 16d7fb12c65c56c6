//! A trainer between two groups.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::process::TrainerProcess;

/// A trainer that has no group and holds no run's folder. Dropping this ends the trainer.
#[derive(Debug)]
pub(crate) struct IdleTrainer {
    wanted: oneshot::Sender<()>,
    waiting: JoinHandle<Option<TrainerProcess>>,
}

impl IdleTrainer {
    /// Keeps `trainer` for `patience`, or until `end` resolves. A trainer that ends, or speaks although it has nothing to
    /// report, is not kept.
    pub(crate) fn new(
        mut trainer: TrainerProcess,
        patience: Duration,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        trainer.has_stayed = true;
        let (wanted, is_wanted) = oneshot::channel();
        let waiting = tokio::spawn(async move {
            let is_wanted = tokio::select! {
                biased;
                _ = trainer.next() => false,
                () = end => false,
                wanted = is_wanted => wanted.is_ok(),
                () = sleep(patience) => false,
            };
            if is_wanted {
                return Some(trainer);
            }
            trainer.stop().await;
            None
        });
        Self { wanted, waiting }
    }

    /// Whether the trainer is still kept.
    pub(crate) fn is_there(&self) -> bool {
        !self.waiting.is_finished()
    }

    /// The trainer, if it is still there.
    pub(crate) async fn take(self) -> Option<TrainerProcess> {
        // This fails when the trainer is being ended, which is then waited for.
        let _ = self.wanted.send(());
        self.waiting.await.ok().flatten()
    }
}
