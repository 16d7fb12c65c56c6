//! Deletes checkpoints that no run needs any more, and files that nobody knows.
//!
//! First the store forgets, in a transaction that proves that nothing needs the blob, then the file goes. Whoever is
//! killed between the two, or cannot reach the bucket, leaves a file whose name the store does not know; so does an upload
//! that breaks off. Any coordinator finds these by listing the place. The files are listed before the store is asked for
//! the names that it knows: a name is known before there is a file, and never again once it is forgotten. Why that makes
//! deleting safe, however late and by however many, is said in [`crate::blobs`].

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::blobs::owner::{OwnerError, claim};
use crate::blobs::{Blobs, Digest, Name};
use crate::store::{BlobFile, Store};

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(3600);

/// For how long what is not needed stays.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    /// Since a checkpoint last needed the blob, or it was uploaded; in milliseconds. Whoever is downloading it, or about
    /// to make it a checkpoint, has time to finish.
    pub unused_ms: i64,
    /// Since an upload's file was begun: it will not be finished any more.
    pub abandoned_ms: i64,
}

impl Default for Ages {
    fn default() -> Self {
        const DAY_MS: i64 = 24 * 3600 * 1000;
        Ages { unused_ms: DAY_MS, abandoned_ms: DAY_MS }
    }
}

/// Collects until dropped. Every coordinator may.
pub(crate) async fn collect_garbage(store: Arc<dyn Store>, blobs: Arc<dyn Blobs>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        match collect(&*store, &*blobs, Ages::default()).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "checkpoints that nobody needs are deleted"),
            Err(error) => tracing::error!(%error, "checkpoints that nobody needs stay"),
        }
    }
}

/// Forgets what no run needs and deletes every file that the store does not know; answers how many files.
///
/// # Errors
/// [`OwnerError`]: the place is another database's, or the place or the store fails. What is left is found the next time.
pub async fn collect(store: &dyn Store, blobs: &dyn Blobs, ages: Ages) -> Result<u32, OwnerError> {
    claim(store, blobs, false).await?;
    store.blob_collect(ages.unused_ms, ages.abandoned_ms).await?;
    let files = blobs.list().await?;
    let known: HashSet<BlobFile> = store.blob_files().await?.into_iter().collect();
    let mut deleted = 0;
    let mut failure = None;
    for name in files.iter().filter(|name| !known.contains(&BlobFile::from(*name))) {
        match blobs.delete(name).await {
            Ok(()) => deleted += 1,
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(deleted), |error| Err(error.into()))
}

/// Takes a file out of use, and deletes it, if its bytes are not those that it is known by. True: they are not.
pub(crate) async fn delete_if_damaged(
    store: &dyn Store,
    blobs: &dyn Blobs,
    sha256: &str,
) -> Result<bool, OwnerError> {
    let Some(name) = find(store, sha256).await? else { return Ok(false) };
    if crate::blobs::is_whole(blobs, &name).await? {
        return Ok(false);
    }
    // From here on the store does not know it: should the deletion fail, the next collection finds it.
    if store.blob_condemn(BlobFile::from(&name)).await? {
        blobs.delete(&name).await?;
    }
    Ok(true)
}

/// The file that has a blob's bytes, as far as the store knows.
pub(crate) async fn find(store: &dyn Store, sha256: &str) -> crate::store::Result<Option<Name>> {
    let (Some((file, _)), Ok(digest)) = (store.blob_find(sha256).await?, Digest::from_str(sha256)) else {
        return Ok(None);
    };
    Ok(Name::known(digest, &file.tag))
}
