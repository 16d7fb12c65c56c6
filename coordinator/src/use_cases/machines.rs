//! Workers, and whether they take runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Result, UseCaseError, UseCases};
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
    /// Workers in the order of their ids: every one, or those that were heard of within a day or hold runs.
    ///
    /// # Errors
    /// The store's.
    pub async fn machines(&self, all: bool) -> Result<Vec<Machine>> {
        Ok(self.asked_for(all).await?.all().await?)
    }

    /// As [`machines`](Self::machines), in pages: the next one is read when the last one is taken.
    ///
    /// # Errors
    /// The store's.
    pub async fn pages_of_machines(&self, all: bool) -> Result<Machines> {
        let mut pages = self.asked_for(all).await?;
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            loop {
                let page = pages.next().await.map_err(UseCaseError::from);
                let is_last = page.as_ref().map_or(true, Vec::is_empty);
                if sender.send(page).await.is_err() || is_last {
                    return;
                }
            }
        });
        Ok(ReceiverStream::new(receiver))
    }

    async fn asked_for(&self, all: bool) -> Result<MachinePages> {
        let now_ms = self.store.now_ms().await?;
        let since_ms = if all { i64::MIN } else { now_ms.saturating_sub(RECENT_MS) };
        Ok(self.machine_pages(since_ms, now_ms))
    }

    /// Workers that were heard of within a lease, or hold runs.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn machines_within_a_lease(&self) -> crate::store::Result<Vec<Machine>> {
        let now_ms = self.store.now_ms().await?;
        self.machine_pages(now_ms.saturating_sub(i64::from(self.terms.lease_ms)), now_ms).all().await
    }

    /// The workers that were heard of since this time or hold runs.
    pub(super) fn machine_pages(&self, since_ms: i64, now_ms: i64) -> MachinePages {
        let silent_ms = i64::from(self.terms.lease_ms);
        MachinePages { store: Arc::clone(&self.store), since_ms, now_ms, silent_ms, after: String::new() }
    }

    /// Datasets that any living worker has.
    pub(super) async fn served_datasets(&self) -> Result<BTreeSet<String>> {
        let alive = self.machines_within_a_lease().await?.into_iter().filter(|machine| machine.is_alive);
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

/// Workers that are read page by page.
pub(super) struct MachinePages {
    store: Arc<dyn Store>,
    since_ms: i64,
    now_ms: i64,
    /// Who was silent for so long counts as gone.
    silent_ms: i64,
    /// The id of the last worker that was read.
    after: String,
}

impl MachinePages {
    /// The next page; an empty one is the last.
    async fn next(&mut self) -> crate::store::Result<Vec<Machine>> {
        let page = self.store.worker_list(self.since_ms, &self.after, PAGE).await?;
        if let Some(last) = page.last() {
            self.after.clone_from(&last.registration.id);
        }
        let machine = |worker: WorkerRecord| {
            let is_alive = worker.is_alive(self.now_ms, self.silent_ms);
            Machine { worker, is_alive }
        };
        Ok(page.into_iter().map(machine).collect())
    }

    /// All pages together.
    pub(super) async fn all(mut self) -> crate::store::Result<Vec<Machine>> {
        let mut all = Vec::new();
        loop {
            let page = self.next().await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
}
