//! What nobody needs any more is deleted by itself: workers that were silent for long and have never held a run, since each
//! start of a worker is another one; and the old events of runs that have many, since a run that is given back again and again
//! has more and more of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::store::{EVENTS_KEPT, Result, Store};

/// Workers that were heard of and events that happened within this time stay: 30 days.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// How often all this is looked for.
const EVERY: Duration = Duration::from_secs(3600);

/// Deletes what nobody needs, until dropped.
pub(crate) async fn forget_what_is_old(store: Arc<dyn Store>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = forget(&*store).await {
            tracing::error!(%error, "cannot look for what nobody needs");
        }
    }
}

async fn forget(store: &dyn Store) -> Result<()> {
    let before_ms = store.now_ms().await?.saturating_sub(KEPT_MS);
    let workers = in_steps(|| store.worker_forget(before_ms)).await?;
    if workers > 0 {
        tracing::info!(workers, "workers that did nothing for 30 days are forgotten");
    }
    let events = in_steps(|| store.event_forget(before_ms)).await?;
    if events > 0 {
        tracing::info!(
            events,
            "events of more than 30 days ago are forgotten, but for the last {EVENTS_KEPT} of each run"
        );
    }
    Ok(())
}

/// Takes steps until one does nothing; answers what they did together.
async fn in_steps<S: Future<Output = Result<u64>>>(step: impl Fn() -> S) -> Result<u64> {
    let mut done = 0;
    loop {
        match step().await? {
            0 => return Ok(done),
            count => done += count,
        }
    }
}
