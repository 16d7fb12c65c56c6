//! What nobody needs any more is deleted by itself: workers that were silent for long and have never held a run. Each start of
//! a worker is another one, so that there would be more and more of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::store::{Result, Store};

/// Workers that were heard of within this time stay: 30 days.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// How often such workers are looked for.
const EVERY: Duration = Duration::from_secs(3600);

/// Deletes workers that nobody needs, until dropped.
pub(crate) async fn forget_workers(store: Arc<dyn Store>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match forget(&*store).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "workers that did nothing for 30 days are forgotten"),
            Err(error) => tracing::error!(%error, "cannot look for workers that nobody needs"),
        }
    }
}

async fn forget(store: &dyn Store) -> Result<u64> {
    let before_ms = store.now_ms().await?.saturating_sub(KEPT_MS);
    let mut forgotten = 0;
    loop {
        match store.worker_forget(before_ms).await? {
            0 => return Ok(forgotten),
            step => forgotten += step,
        }
    }
}
