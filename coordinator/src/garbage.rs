//! Deletes checkpoints that no run needs any more, and files that nobody knows.
//!
//! First the store forgets, in a transaction that proves that nothing needs the blob, then the file goes. Whoever is
//! killed between the two, or cannot reach the bucket, leaves a file whose name the store does not know; so does an upload
//! that breaks off. Any coordinator finds these by listing the place. The files are listed before the store is asked for
//! the names that it knows: a name is known before there is a file, and never again once it is forgotten. Why that makes
//! deleting safe, however late and by however many, is said in [`crate::blobs`].
//!
//! A database that is restored from a backup does not know what was uploaded since, and a person may put the newer one
//! back. So a file is deleted at once only by whoever has seen the store forget its name; one that is merely unknown has
//! time.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::blobs::owner::{OwnerError, claim};
use crate::blobs::{Blobs, Digest, Name};
use crate::clock::Clock;
use crate::store::{BlobFile, Store};

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(3600);

/// For how long what is not needed stays.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    /// Since a checkpoint last needed the blob, or it was uploaded; in milliseconds. Whoever is downloading it, or about
    /// to make it a checkpoint, has time to finish.
    pub unused_ms: i64,
    /// Since an upload's file was begun: it will not be finished any more. Also, since a file that the store does not know
    /// was first seen by this process, if the store has not known it since: nobody will put a database back that does.
    /// In milliseconds.
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
    let mut collector = Collector::new(Ages::default());
    loop {
        ticks.tick().await;
        match collector.collect(&*store, &*blobs).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "checkpoints that nobody needs are deleted"),
            Err(error) => tracing::error!(%error, "checkpoints that nobody needs stay"),
        }
    }
}

/// Deletes what no run needs, and remembers which files the store does not know.
#[derive(Debug)]
pub struct Collector {
    ages: Ages,
    clock: Clock,
    /// When a file may be deleted that the store does not know, if the store still does not know it then; by the clock.
    due: HashMap<BlobFile, i64>,
}

impl Collector {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(ages: Ages) -> Self {
        Collector::on_clock(ages, Clock::start())
    }

    /// As [`new`](Self::new), with the clock by which a file has been unknown for long enough.
    #[must_use]
    pub fn on_clock(ages: Ages, clock: Clock) -> Self {
        Collector { ages, clock, due: HashMap::new() }
    }

    /// Forgets what no run needs, and deletes these files and those that the store has not known for long enough; answers
    /// how many files.
    ///
    /// # Errors
    /// [`OwnerError`]: the place is another database's, or the place or the store fails. What is left is found the next
    /// time.
    pub async fn collect(&mut self, store: &dyn Store, blobs: &dyn Blobs) -> Result<u32, OwnerError> {
        claim(store, blobs, false).await?;
        let forgotten = store.blob_collect(self.ages.unused_ms, self.ages.abandoned_ms).await?;
        self.forgotten(forgotten, self.clock.now_ms());
        let mut files = blobs.list().await?;
        let known: HashSet<BlobFile> = store.blob_files().await?.into_iter().collect();
        files.retain(|name| !known.contains(&BlobFile::from(name)));
        self.unknown(files.iter().map(BlobFile::from).collect(), self.clock.now_ms());
        let mut deleted = 0;
        let mut failure = None;
        for name in files.iter().filter(|name| self.is_due(&BlobFile::from(*name), self.clock.now_ms())) {
            match blobs.delete(name).await {
                Ok(()) => deleted += 1,
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(deleted), |error| Err(error.into()))
    }

    /// The store has just forgotten these: they need not wait.
    fn forgotten(&mut self, files: Vec<BlobFile>, now_ms: i64) {
        self.due.extend(files.into_iter().map(|file| (file, now_ms)));
    }

    /// These, and no others, are there without being known.
    fn unknown(&mut self, files: HashSet<BlobFile>, now_ms: i64) {
        let due_ms = now_ms.saturating_add(self.ages.abandoned_ms.max(0));
        self.due.retain(|file, _| files.contains(file));
        for file in files {
            self.due.entry(file).or_insert(due_ms);
        }
    }

    fn is_due(&self, file: &BlobFile, now_ms: i64) -> bool {
        self.due.get(file).is_some_and(|due_ms| *due_ms <= now_ms)
    }
}

/// Takes a file out of use, and deletes it, if its bytes are not those that it is known by. True: they are not.
///
/// # Errors
/// [`OwnerError`]: the store or the place fails, which says nothing of the bytes.
pub async fn delete_if_damaged(
    store: &dyn Store,
    blobs: &dyn Blobs,
    sha256: &str,
) -> Result<bool, OwnerError> {
    let Some((name, _)) = find(store, sha256).await? else { return Ok(false) };
    if crate::blobs::is_whole(blobs, &name).await? {
        return Ok(false);
    }
    // From here on the store does not know it: should the deletion fail, a later collection finds it.
    if store.blob_condemn(BlobFile::from(&name)).await? {
        blobs.delete(&name).await?;
    }
    Ok(true)
}

/// The file that has a blob's bytes, as far as the store knows, and how many it must have.
///
/// # Errors
/// [`StoreError`](crate::store::StoreError): the store fails.
pub async fn find(store: &dyn Store, sha256: &str) -> crate::store::Result<Option<(Name, u64)>> {
    let (Some((file, bytes)), Ok(digest)) = (store.blob_find(sha256).await?, Digest::from_str(sha256)) else {
        return Ok(None);
    };
    Ok(Name::known(digest, &file.tag).map(|name| (name, bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGES: Ages = Ages { unused_ms: 0, abandoned_ms: 1_000 };

    fn file(tag: &str) -> BlobFile {
        BlobFile { sha256: "ab".repeat(32), tag: tag.to_owned() }
    }

    #[test]
    fn a_file_that_is_merely_unknown_has_time_each_time_that_the_store_ceases_to_know_it() {
        let mut collector = Collector::new(AGES);
        let after = |ms: i64| 5_000 + ms;
        let unknown = HashSet::from([file("unknown")]);
        collector.unknown(unknown.clone(), after(0));
        assert!(!collector.is_due(&file("unknown"), after(999)));
        assert!(collector.is_due(&file("unknown"), after(1_000)));
        collector.unknown(HashSet::new(), after(900));
        collector.unknown(unknown.clone(), after(950));
        collector.unknown(unknown, after(1_900));
        assert!(!collector.is_due(&file("unknown"), after(1_949)));
        assert!(collector.is_due(&file("unknown"), after(1_950)));
    }

    #[test]
    fn a_file_whose_name_was_seen_to_be_forgotten_goes_at_once_unless_the_store_knows_it_again() {
        let (mut collector, now) = (Collector::new(AGES), 5_000);
        collector.forgotten(vec![file("forgotten"), file("put back")], now);
        collector.unknown(HashSet::from([file("forgotten"), file("unknown")]), now);
        let due = ["forgotten", "put back", "unknown"].map(|tag| collector.is_due(&file(tag), now));
        assert_eq!(due, [true, false, false]);
    }
}
