//! Workers, and whether they take runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Result, UseCases};
use crate::store::{Duty, Store, WorkerRecord};

/// A worker that was not heard of for longer, and holds nothing, is listed only where all are asked for: a day.
const RECENT_MS: i64 = 24 * 60 * 60 * 1000;

/// Workers that are read at a time.
const PAGE: u32 = 1000;

/// Pages of workers, as they are read.
pub type Machines = ReceiverStream<Result<Vec<Machine>>>;

/// A worker, as people see it.
#[derive(Debug, Clone)]
pub struct Machine {
    /// What is known of it.
    pub worker: WorkerRecord,
    /// It has not ended, and was heard of within a lease.
    pub is_alive: bool,
}

impl UseCases {
    /// Workers in the order of their ids: every one, or those that were heard of within a day or hold runs. The next page is
    /// read when the last one is taken.
    ///
    /// # Errors
    /// The store's.
    pub async fn machines(&self, all: bool) -> Result<Machines> {
        let now_ms = self.store.now_ms().await?;
        let silent_ms = i64::from(self.terms.lease_ms);
        let mut pages = self.worker_pages(if all { i64::MIN } else { now_ms.saturating_sub(RECENT_MS) });
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            loop {
                let page = pages.next().await;
                let is_last = page.as_ref().map_or(true, Vec::is_empty);
                let machine = |worker: WorkerRecord| {
                    let is_alive = !worker.ended && now_ms - worker.last_seen_ms < silent_ms;
                    Machine { worker, is_alive }
                };
                let page = page.map(|workers| workers.into_iter().map(machine).collect());
                if sender.send(page).await.is_err() || is_last {
                    return;
                }
            }
        });
        Ok(ReceiverStream::new(receiver))
    }

    /// The workers that were heard of since this time or hold runs.
    pub(super) fn worker_pages(&self, since_ms: i64) -> WorkerPages {
        WorkerPages { store: Arc::clone(&self.store), since_ms, after: String::new() }
    }

    /// Datasets that any living worker has.
    pub(super) async fn served_datasets(&self) -> Result<BTreeSet<String>> {
        let now_ms = self.store.now_ms().await?;
        let since_ms = now_ms.saturating_sub(i64::from(self.terms.lease_ms));
        let mut pages = self.worker_pages(since_ms);
        let mut served = BTreeSet::new();
        loop {
            let page = pages.next().await?;
            if page.is_empty() {
                return Ok(served);
            }
            // One that holds runs is listed though it may be silent for longer.
            let alive = page.into_iter().filter(|worker| !worker.ended && worker.last_seen_ms > since_ms);
            served.extend(alive.flat_map(|worker| worker.registration.datasets));
        }
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

/// Workers that are read page by page.
pub(super) struct WorkerPages {
    store: Arc<dyn Store>,
    since_ms: i64,
    /// The id of the last worker that was read.
    after: String,
}

impl WorkerPages {
    /// The next page; an empty one is the last.
    pub(super) async fn next(&mut self) -> Result<Vec<WorkerRecord>> {
        let page = self.store.worker_list(self.since_ms, &self.after, PAGE).await?;
        if let Some(last) = page.last() {
            self.after.clone_from(&last.registration.id);
        }
        Ok(page)
    }
}
