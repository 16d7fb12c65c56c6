//! Deletes checkpoints that no run needs any more.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::blobs::{Blobs, Digest};
use crate::store::Store;

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(3600);
/// A blob stays this long after a checkpoint last needed it: whoever is downloading it has time to finish.
const UNUSED_MS: i64 = 24 * 3600 * 1000;
/// Whoever marked a blob has had time to delete it: somebody else may.
const ABANDONED_MS: i64 = 50 * 60 * 1000;

/// Looks for garbage until dropped. Every coordinator may: each deletes what it has marked itself, so that nothing is
/// deleted that was forgotten and uploaded again meanwhile.
pub(crate) async fn collect_garbage(store: Arc<dyn Store>, blobs: Arc<dyn Blobs>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        match store.blob_mark_garbage(UNUSED_MS, ABANDONED_MS).await {
            Ok(marked) => {
                for sha256 in marked {
                    delete(&*store, &*blobs, &sha256).await;
                }
            }
            Err(error) => tracing::error!(%error, "cannot look for checkpoints that are not needed"),
        }
    }
}

/// In this order: first nothing can refer to it any more, then the file goes, then its name may be used again.
pub(crate) async fn delete(store: &dyn Store, blobs: &dyn Blobs, sha256: &str) {
    let Ok(digest) = Digest::from_str(sha256) else {
        tracing::error!(sha256, "the database names a blob that cannot be");
        return;
    };
    let deleted = blobs.delete(&digest).await.map_err(|error| error.to_string());
    let forgotten = match deleted {
        Ok(()) => store.blob_forget(sha256).await.map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    match forgotten {
        Ok(()) => tracing::info!(sha256, "a checkpoint that nobody needs is deleted"),
        Err(error) => tracing::error!(sha256, error, "cannot delete a checkpoint that nobody needs"),
    }
}
