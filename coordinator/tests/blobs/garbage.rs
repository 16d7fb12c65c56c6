//! What nobody needs goes, what somebody needs stays, whoever deletes, and however late.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use acai_coordinator::blobs::owner::{self, OwnerError};
use acai_coordinator::blobs::{self, Blobs, Name};
use acai_coordinator::clock::Clock;
use acai_coordinator::garbage::{Ages, Collector};
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{BlobFile, Store};
use acai_testing::s3::S3;

use crate::s3::open;
use crate::server::{Coordinator, blob, sha256};
use crate::slow::Slow;

/// Nothing is too young.
const AT_ONCE: Ages = Ages { unused_ms: -1, abandoned_ms: 60_000 };
/// Nor is it for long that a file may be unknown, or an upload under way.
const NO_PATIENCE: Ages = Ages { abandoned_ms: -1, ..AT_ONCE };

/// As a coordinator that has just been started.
async fn collect(store: &dyn Store, place: &dyn Blobs, ages: Ages) -> Result<u32, OwnerError> {
    Collector::new(ages).collect(store, place).await
}

async fn in_a_folder() -> Coordinator {
    Coordinator::start().await
}

async fn in_a_bucket(server: &S3) -> Coordinator {
    let blobs = Arc::new(open(server, "s3://checkpoints/acai", "secret").await.unwrap());
    Coordinator::start_on(tempfile::tempdir().unwrap(), blobs).await
}

async fn a_late_deletion_spares_what_was_uploaded_meanwhile(coordinator: &Coordinator) {
    let blob = blob(1000);
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    let slow = Arc::new(Slow::new(coordinator.blobs.clone()));
    let (store, place) = (coordinator.store.clone(), slow.clone());
    let late = tokio::spawn(async move { collect(&*store, &*place, AT_ONCE).await });
    slow.begun.acquire().await.unwrap().forget();
    // Somebody else is faster, and the same bytes are wanted again.
    assert_eq!(collect(&*coordinator.store, &*coordinator.blobs, NO_PATIENCE).await.unwrap(), 1);
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    coordinator.commit(10, &blob).await;
    slow.let_go.add_permits(1);
    late.await.unwrap().unwrap();
    assert!(coordinator.stat(&blob).await.complete);
    assert_eq!(coordinator.download(&blob, 0).await.unwrap(), blob);
}

#[tokio::test]
async fn a_deletion_that_comes_late_spares_what_was_uploaded_meanwhile_to_a_folder() {
    a_late_deletion_spares_what_was_uploaded_meanwhile(&in_a_folder().await).await;
}

#[tokio::test]
async fn a_deletion_that_comes_late_spares_what_was_uploaded_meanwhile_to_a_bucket() {
    let server = S3::start();
    a_late_deletion_spares_what_was_uploaded_meanwhile(&in_a_bucket(&server).await).await;
}

#[tokio::test]
async fn collectors_and_uploads_at_once_lose_nothing_that_is_needed() {
    let coordinator = in_a_folder().await;
    let needed = blob(1000);
    coordinator.upload(coordinator.header(&needed, 0), &needed).await.unwrap();
    coordinator.commit(10, &needed).await;
    let collecting = async || {
        let mut collector = Collector::new(AT_ONCE);
        for _ in 0..20 {
            collector.collect(&*coordinator.store, &*coordinator.blobs).await.unwrap();
        }
    };
    // Under these ages an upload may be garbage before it is committed; one that is not must be whole.
    let uploading = async {
        let mut whole = 0;
        for round in 0..20 {
            let blob = blob(500 + round % 3);
            coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
            if coordinator.stat(&blob).await.complete {
                whole += usize::from(coordinator.download(&blob, 0).await.is_ok_and(|read| read == blob));
            }
        }
        whole
    };
    tokio::join!(collecting(), collecting(), uploading);
    assert_eq!(coordinator.download(&needed, 0).await.unwrap(), needed);
    collect(&*coordinator.store, &*coordinator.blobs, AT_ONCE).await.unwrap();
    assert_eq!(coordinator.wholes(), [coordinator.path(&sha256(&needed)).await]);
}

#[tokio::test]
async fn what_a_bucket_fails_to_delete_is_deleted_later_and_can_be_uploaded_meanwhile() {
    let server = S3::start();
    let coordinator = in_a_bucket(&server).await;
    let blobs: Vec<Vec<u8>> = (0..4).map(|index| blob(500 + index)).collect();
    for blob in &blobs {
        coordinator.upload(coordinator.header(blob, 0), blob).await.unwrap();
    }
    coordinator.commit(10, &blobs[0]).await;
    server.faults().deletions.store(1, Ordering::Relaxed);
    let mut collector = Collector::new(AT_ONCE);
    let failed = collector.collect(&*coordinator.store, &*coordinator.blobs).await.unwrap_err();
    assert!(failed.to_string().contains("cannot delete a checkpoint from the bucket"), "{failed}");
    for blob in &blobs[1..] {
        assert!(!coordinator.stat(blob).await.complete);
        coordinator.upload(coordinator.header(blob, 0), blob).await.unwrap();
        assert_eq!(&coordinator.download(blob, 0).await.unwrap(), blob);
    }
    coordinator.commit(20, &blobs[1]).await;
    server.faults().deletions.store(i64::MAX, Ordering::Relaxed);
    assert_eq!(collector.collect(&*coordinator.store, &*coordinator.blobs).await.unwrap(), 4);
    assert_eq!(coordinator.blobs.list().await.unwrap().len(), 2);
    for blob in &blobs[..2] {
        assert_eq!(&coordinator.download(blob, 0).await.unwrap(), blob);
    }
}

#[tokio::test]
async fn files_that_nobody_knows_are_deleted_after_a_time_but_not_those_of_uploads_under_way() {
    let coordinator = in_a_folder().await;
    let (store, place) = (&*coordinator.store, &*coordinator.blobs);
    let put = async |bytes: &[u8]| {
        let name = Name::unused(sha256(bytes).parse().unwrap());
        let staged = place.staging().join(name.digest().as_str());
        std::fs::write(&staged, bytes).unwrap();
        (name, staged)
    };
    let (unknown, staged) = put(b"unknown").await;
    place.put(&unknown, &staged).await.unwrap();
    let mut collector = Collector::new(Ages { abandoned_ms: 2_000, ..AT_ONCE });
    assert_eq!(collector.collect(store, place).await.unwrap(), 0);
    assert_eq!(place.list().await.unwrap(), [unknown], "a database that knows it may be put back");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (under_way, staged) = put(b"under way").await;
    store.blob_begin(BlobFile::from(&under_way)).await.unwrap();
    place.put(&under_way, &staged).await.unwrap();
    assert_eq!(collector.collect(store, place).await.unwrap(), 1);
    assert_eq!(place.list().await.unwrap(), std::slice::from_ref(&under_way));
    assert_eq!(collect(store, place, NO_PATIENCE).await.unwrap(), 1);
    assert_eq!(store.blob_add(BlobFile::from(&under_way), 9, None).await.unwrap(), None);
}

#[tokio::test]
async fn a_copy_of_a_database_does_not_collect_what_the_original_needs() {
    let folder = tempfile::tempdir().unwrap();
    let opened =
        async |name: &str| SqliteStore::open(&folder.path().join(name), Clock::start()).await.unwrap();
    drop(opened("original.db").await);
    std::fs::copy(folder.path().join("original.db"), folder.path().join("copy.db")).unwrap();
    let (original, copy, other) =
        (opened("original.db").await, opened("copy.db").await, opened("other.db").await);
    let root = folder.path().join("blobs");
    let place = blobs::open(root.to_str().unwrap(), &root).await.unwrap();
    owner::claim(&original, &*place, false).await.unwrap();
    let name = Name::unused(sha256(b"needed").parse().unwrap());
    let staged = place.staging().join("needed");
    std::fs::write(&staged, b"needed").unwrap();
    original.blob_begin(BlobFile::from(&name)).await.unwrap();
    place.put(&name, &staged).await.unwrap();
    for stranger in [&copy, &other] {
        let refused = owner::claim(stranger, &*place, false).await.unwrap_err();
        assert!(refused.to_string().contains("--take-blobs"), "{refused}");
        collect(stranger, &*place, AT_ONCE).await.unwrap_err();
        assert_eq!(place.list().await.unwrap(), std::slice::from_ref(&name));
    }
    collect(&original, &*place, AT_ONCE).await.unwrap();

    owner::claim(&copy, &*place, true).await.unwrap();
    collect(&original, &*place, AT_ONCE).await.unwrap_err();
    assert_eq!(collect(&copy, &*place, NO_PATIENCE).await.unwrap(), 1);
}

#[tokio::test]
async fn a_folder_that_was_copied_belongs_to_whom_finds_it_first() {
    let folder = tempfile::tempdir().unwrap();
    let opened =
        async |name: &str| SqliteStore::open(&folder.path().join(name), Clock::start()).await.unwrap();
    let (original, copy) = (opened("original.db").await, opened("copy.db").await);
    let place = async |name: &str| {
        let root = folder.path().join(name);
        blobs::open(root.to_str().unwrap(), &root).await.unwrap()
    };
    let (first, second) = (place("first").await, place("second").await);
    owner::claim(&original, &*first, false).await.unwrap();
    let text = first.owner().await.unwrap().unwrap();
    second.set_owner(text).await.unwrap();
    owner::claim(&copy, &*second, false).await.unwrap();
    owner::claim(&original, &*first, false).await.unwrap();
    let refused = owner::claim(&original, &*second, false).await;
    assert!(matches!(refused, Err(owner::OwnerError::Owned)), "{refused:?}");
}

#[tokio::test]
async fn a_database_that_was_restored_in_place_deletes_nothing_that_the_newer_one_needs() {
    let folder = tempfile::tempdir().unwrap();
    let [database, backup, newer] = ["acai.db", "backup.db", "newer.db"].map(|name| folder.path().join(name));
    let opened = async || SqliteStore::open(&database, Clock::start()).await.unwrap();
    let root = folder.path().join("blobs");
    let place = blobs::open(root.to_str().unwrap(), &root).await.unwrap();
    let store = opened().await;
    owner::claim(&store, &*place, false).await.unwrap();
    store.close().await;
    drop(store);
    std::fs::copy(&database, &backup).unwrap();

    let store = opened().await;
    let name = Name::unused(sha256(b"needed").parse().unwrap());
    let staged = place.staging().join("needed");
    std::fs::write(&staged, b"needed").unwrap();
    store.blob_begin(BlobFile::from(&name)).await.unwrap();
    place.put(&name, &staged).await.unwrap();
    store.blob_add(BlobFile::from(&name), 6, None).await.unwrap();
    store.close().await;
    drop(store);
    std::fs::copy(&database, &newer).unwrap();

    std::fs::copy(&backup, &database).unwrap();
    let store = opened().await;
    assert_eq!(collect(&store, &*place, AT_ONCE).await.unwrap(), 0);
    store.close().await;
    drop(store);

    std::fs::copy(&newer, &database).unwrap();
    let (file, _) = opened().await.blob_find(&sha256(b"needed")).await.unwrap().unwrap();
    assert_eq!(file, BlobFile::from(&name));
    assert_eq!(place.size(&name).await.unwrap(), Some(6));
}
