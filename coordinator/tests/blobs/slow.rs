//! A place that takes its time.

use std::path::Path;
use std::sync::Arc;

use acai_coordinator::blobs::{self, Blobs, Chunks, Name};
use async_trait::async_trait;
use tokio::sync::Semaphore;

/// A place whose deletions and reads wait until they are let go, as those of a coordinator that is stopped, or of a disk
/// that is slow.
#[derive(Debug)]
pub(crate) struct Slow {
    place: Arc<dyn Blobs>,
    /// One for each deletion or read that has begun.
    pub(crate) begun: Semaphore,
    pub(crate) let_go: Semaphore,
}

impl Slow {
    pub(crate) fn new(place: Arc<dyn Blobs>) -> Self {
        Slow { place, begun: Semaphore::new(0), let_go: Semaphore::new(0) }
    }

    async fn wait(&self) {
        self.begun.add_permits(1);
        self.let_go.acquire().await.unwrap().forget();
    }
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
        self.wait().await;
        self.place.read(name, offset).await
    }
    async fn delete(&self, name: &Name) -> blobs::Result<()> {
        self.wait().await;
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
