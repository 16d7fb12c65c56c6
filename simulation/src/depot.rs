//! The place of checkpoints: a folder of the coordinator, which may be as a bucket is that does not answer, answers late, or does
//! what it is asked and does not say so.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::blobs::{BlobError, Blobs, Chunks, Name, Result};
use async_trait::async_trait;
use tokio::time::sleep;

/// How late a place answers that is slow.
const LATE: Duration = Duration::from_secs(20);

/// How the place fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// It does nothing.
    Refuses,
    /// It does what it is asked, but its answer is lost.
    LosesAnswers,
    /// It answers late.
    IsSlow,
}

/// How the place is just now. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions(Arc<Mutex<Now>>);

#[derive(Debug, Default)]
struct Now {
    failing: Option<Failing>,
    takes_nothing: bool,
}

impl Conditions {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the place fails like this, or not any more.
    pub(crate) fn set(&self, failing: Option<Failing>) {
        self.now().failing = failing;
    }

    /// From now on the place takes nothing more, as a bucket does whose writers have lost their right to write.
    pub(crate) fn take_nothing(&self) {
        self.now().takes_nothing = true;
    }

    fn fails_with(&self, failing: Failing) -> Result<()> {
        if self.now().failing == Some(failing) { Err(failed(&format!("{failing:?}"))) } else { Ok(()) }
    }

    fn takes(&self) -> Result<()> {
        if self.now().takes_nothing { Err(failed("it takes nothing")) } else { Ok(()) }
    }

    /// What is done there takes its time, and may fail before or after.
    async fn answer<T>(&self, doing: impl Future<Output = Result<T>>) -> Result<T> {
        self.fails_with(Failing::Refuses)?;
        if self.fails_with(Failing::IsSlow).is_err() {
            sleep(LATE).await;
        }
        let done = doing.await?;
        self.fails_with(Failing::LosesAnswers)?;
        Ok(done)
    }
}

fn failed(how: &str) -> BlobError {
    BlobError::Failed { doing: "reach the place of checkpoints", cause: format!("simulated: {how}") }
}

/// The place as a coordinator sees it. Several coordinators have a common place, and each a folder of its own for what is not whole.
#[derive(Debug)]
pub(crate) struct Depot {
    folder: Directory,
    /// Where the coordinator puts uploads together.
    staging: PathBuf,
    conditions: Conditions,
}

impl Depot {
    /// A place in this folder, and uploads in that one.
    pub(crate) fn open(place: &Path, staging: &Path, conditions: Conditions) -> io::Result<Depot> {
        std::fs::create_dir_all(staging)?;
        let folder = Directory::open(place).map_err(io::Error::other)?;
        Ok(Depot { folder, staging: staging.to_owned(), conditions })
    }
}

#[async_trait]
impl Blobs for Depot {
    fn staging(&self) -> &Path {
        &self.staging
    }

    async fn put(&self, name: &Name, file: &Path) -> Result<()> {
        self.conditions.takes()?;
        self.conditions.answer(self.folder.put(name, file)).await
    }

    async fn size(&self, name: &Name) -> Result<Option<u64>> {
        self.conditions.answer(self.folder.size(name)).await
    }

    async fn read(&self, name: &Name, offset: u64) -> Result<Box<dyn Chunks>> {
        self.conditions.answer(self.folder.read(name, offset)).await
    }

    async fn delete(&self, name: &Name) -> Result<()> {
        self.conditions.answer(self.folder.delete(name)).await
    }

    async fn list(&self) -> Result<Vec<Name>> {
        self.conditions.answer(self.folder.list()).await
    }

    async fn identity(&self) -> Result<String> {
        self.conditions.answer(self.folder.identity()).await
    }

    async fn owner(&self) -> Result<Option<Vec<u8>>> {
        self.conditions.answer(self.folder.owner()).await
    }

    async fn set_owner(&self, owner: Vec<u8>) -> Result<()> {
        self.conditions.answer(self.folder.set_owner(owner)).await
    }
}
