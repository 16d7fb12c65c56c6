//! Workers, and whether they take runs.

use std::collections::BTreeSet;

use super::{Result, UseCases};
use crate::store::{Duty, WorkerRecord};

/// A worker that was not heard of for longer, and holds nothing, is listed only where all are asked for: a day.
const RECENT_MS: i64 = 24 * 60 * 60 * 1000;

/// A worker, as people see it.
#[derive(Debug, Clone)]
pub struct Machine {
    /// What is known of it.
    pub worker: WorkerRecord,
    /// It has not ended, and was heard of within a lease.
    pub is_alive: bool,
}

impl UseCases {
    /// Workers, last seen first: every one, or those that were heard of within a day or hold runs.
    ///
    /// # Errors
    /// The store's.
    pub async fn machines(&self, all: bool) -> Result<Vec<Machine>> {
        let now_ms = self.store.now_ms().await?;
        self.machines_since(if all { i64::MIN } else { now_ms.saturating_sub(RECENT_MS) }, now_ms).await
    }

    async fn machines_since(&self, since_ms: i64, now_ms: i64) -> Result<Vec<Machine>> {
        let workers = self.store.worker_list(since_ms).await?;
        let silent_ms = i64::from(self.terms.lease_ms);
        let machine = |worker: WorkerRecord| {
            let is_alive = !worker.ended && now_ms - worker.last_seen_ms < silent_ms;
            Machine { worker, is_alive }
        };
        Ok(workers.into_iter().map(machine).collect())
    }

    /// Datasets that any living worker has.
    pub(super) async fn served_datasets(&self) -> Result<BTreeSet<String>> {
        let now_ms = self.store.now_ms().await?;
        let since_ms = now_ms.saturating_sub(i64::from(self.terms.lease_ms));
        let machines = self.machines_since(since_ms, now_ms).await?;
        let alive = machines.into_iter().filter(|machine| machine.is_alive);
        Ok(alive.flat_map(|machine| machine.worker.registration.datasets).collect())
    }

    /// Says whether workers of this name take runs; answers how many they hold.
    ///
    /// # Errors
    /// [`NoSuchWorker`](super::UseCaseError::NoSuchWorker).
    pub async fn set_duty(&self, worker: &str, duty: Duty) -> Result<u32> {
        let Some(running) = self.store.worker_set_duty(worker, duty).await? else {
            return Err(self.no_such_worker(worker).await);
        };
        tracing::info!(worker, ?duty, "a worker's duty is changed");
        Ok(running)
    }
}
