//! What nobody needs goes, what somebody needs stays, whoever deletes, and however late.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use acai_coordinator::blobs::{self, Blobs, Chunks, Name, owner};
use acai_coordinator::clock::Clock;
use acai_coordinator::garbage::{Ages, collect};
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{BlobFile, Store};
use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::s3::Server;
use crate::server::{Coordinator, blob, sha256};

/// Nothing is too young.
const AT_ONCE: Ages = Ages { unused_ms: -1, abandoned_ms: 60_000 };

/// A place whose deletions wait until they are let go, as those of a coordinator that is stopped, or cut off.
#[derive(Debug)]
struct Slow {
    place: Arc<dyn Blobs>,
    /// One for each deletion that has begun.
    begun: Semaphore,
    let_go: Semaphore,
}

#[async_trait]
impl Blobs for Slow {
    fn staging(&self) -> &Path {
        self.place.staging()
    }
    async fn put(&self, name: &Name, file: &Path) -> blobs::Result<()> {
        self.place.put(name, file).await
    }
    async fn size(&self, name: &Name) -> blobs::Result<Option<u64>> {
        self.place.size(name).await
    }
    async fn read(&self, name: &Name, offset: u64) -> blobs::Result<Box<dyn Chunks>> {
        self.place.read(name, offset).await
    }
    async fn delete(&self, name: &Name) -> blobs::Result<()> {
        self.begun.add_permits(1);
        self.let_go.acquire().await.unwrap().forget();
        self.place.delete(name).await
    }
    async fn list(&self) -> blobs::Result<Vec<Name>> {
        self.place.list().await
    }
    async fn identity(&self) -> blobs::Result<String> {
        self.place.identity().await
    }
    async fn owner(&self) -> blobs::Result<Option<Vec<u8>>> {
        self.place.owner().await
    }
    async fn set_owner(&self, owner: Vec<u8>) -> blobs::Result<()> {
        self.place.set_owner(owner).await
    }
}

async fn in_a_folder() -> Coordinator {
    Coordinator::start().await
}

async fn in_a_bucket(server: &Server) -> Coordinator {
    let blobs = Arc::new(server.open("s3://checkpoints/acai", "secret").await.unwrap());
    Coordinator::start_on(tempfile::tempdir().unwrap(), blobs).await
}

async fn a_late_deletion_spares_what_was_uploaded_meanwhile(coordinator: &Coordinator) {
    let blob = blob(1000);
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    let slow = Arc::new(Slow {
        place: coordinator.blobs.clone(),
        begun: Semaphore::new(0),
        let_go: Semaphore::new(0),
    });
    let (store, place) = (coordinator.store.clone(), slow.clone());
    let late = tokio::spawn(async move { collect(&*store, &*place, AT_ONCE).await });
    slow.begun.acquire().await.unwrap().forget();
    // Somebody else is faster, and the same bytes are wanted again.
    assert_eq!(collect(&*coordinator.store, &*coordinator.blobs, AT_ONCE).await.unwrap(), 1);
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
    let server = Server::start().await;
    a_late_deletion_spares_what_was_uploaded_meanwhile(&in_a_bucket(&server).await).await;
}

#[tokio::test]
async fn collectors_and_uploads_at_once_lose_nothing_that_is_needed() {
    let coordinator = in_a_folder().await;
    let needed = blob(1000);
    coordinator.upload(coordinator.header(&needed, 0), &needed).await.unwrap();
    coordinator.commit(10, &needed).await;
    let collecting = async || {
        for _ in 0..20 {
            collect(&*coordinator.store, &*coordinator.blobs, AT_ONCE).await.unwrap();
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
    let server = Server::start().await;
    let coordinator = in_a_bucket(&server).await;
    let blobs: Vec<Vec<u8>> = (0..4).map(|index| blob(500 + index)).collect();
    for blob in &blobs {
        coordinator.upload(coordinator.header(blob, 0), blob).await.unwrap();
    }
    coordinator.commit(10, &blobs[0]).await;
    server.faults.deletions.store(1, Ordering::Relaxed);
    let failed = collect(&*coordinator.store, &*coordinator.blobs, AT_ONCE).await.unwrap_err();
    assert!(failed.to_string().contains("cannot delete a checkpoint from the bucket"), "{failed}");
    for blob in &blobs[1..] {
        assert!(!coordinator.stat(blob).await.complete);
        coordinator.upload(coordinator.header(blob, 0), blob).await.unwrap();
        assert_eq!(&coordinator.download(blob, 0).await.unwrap(), blob);
    }
    coordinator.commit(20, &blobs[1]).await;
    server.faults.deletions.store(i64::MAX, Ordering::Relaxed);
    assert_eq!(collect(&*coordinator.store, &*coordinator.blobs, AT_ONCE).await.unwrap(), 4);
    assert_eq!(coordinator.blobs.list().await.unwrap().len(), 2);
    for blob in &blobs[..2] {
        assert_eq!(&coordinator.download(blob, 0).await.unwrap(), blob);
    }
}

#[tokio::test]
async fn files_that_nobody_knows_are_deleted_but_not_those_of_uploads_under_way() {
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
    let (under_way, staged) = put(b"under way").await;
    store.blob_begin(BlobFile::from(&under_way)).await.unwrap();
    place.put(&under_way, &staged).await.unwrap();
    // The coordinator itself may have been faster.
    collect(store, place, AT_ONCE).await.unwrap();
    assert_eq!(place.list().await.unwrap(), std::slice::from_ref(&under_way));
    let no_patience = Ages { abandoned_ms: -1, ..AT_ONCE };
    assert_eq!(collect(store, place, no_patience).await.unwrap(), 1);
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
    assert_eq!(collect(&copy, &*place, AT_ONCE).await.unwrap(), 1);
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
