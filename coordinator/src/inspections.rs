//! Looks at the coordinator's own file of a blob that arrived damaged at a worker.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;

use crate::blobs::Blobs;
use crate::garbage::delete_if_damaged;
use crate::store::Store;

/// The blobs that are being looked at, by SHA-256: a file is read once at a time, however many workers ask, and how often.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inspections(Arc<Mutex<HashSet<String>>>);

impl Inspections {
    /// Looks whether a blob's file is damaged, and deletes it if it is, in a task that goes on when nobody waits for it.
    /// None: another one is at it already. The worker's `reason` is for the log.
    pub(crate) fn start(
        &self,
        store: Arc<dyn Store>,
        blobs: Arc<dyn Blobs>,
        sha256: String,
        reason: String,
    ) -> Option<JoinHandle<()>> {
        if !self.under_way().insert(sha256.clone()) {
            return None;
        }
        let inspection = Inspection { inspections: self.clone(), sha256 };
        Some(tokio::spawn(async move {
            let sha256 = &inspection.sha256;
            match delete_if_damaged(&*store, &*blobs, sha256).await {
                Ok(true) => tracing::error!(sha256, "a checkpoint is damaged, and deleted"),
                Ok(false) => tracing::warn!(sha256, reason, "a checkpoint is whole here, and damaged there"),
                Err(error) => tracing::error!(sha256, %error, "cannot look whether a checkpoint is damaged"),
            }
        }))
    }

    fn under_way(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One blob that is being looked at, until dropped.
struct Inspection {
    inspections: Inspections,
    sha256: String,
}

impl Drop for Inspection {
    fn drop(&mut self) {
        self.inspections.under_way().remove(&self.sha256);
    }
}
