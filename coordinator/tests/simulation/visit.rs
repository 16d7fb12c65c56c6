//! What goes wrong where checkpoints are kept, which are real folders: one visit at a time.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::blobs::{BlobError, Blobs, Chunks, Name};
use acai_coordinator::store::BlobFile;
use async_trait::async_trait;
use tokio::sync::{Semaphore, mpsc};

/// Why a place does not do what it is asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may do it the next time.
    Passing,
    /// Somebody has to repair it.
    Lasting,
    /// It has no room for new files.
    Full,
}

impl Trouble {
    fn error(self) -> BlobError {
        let cause = "by chance".to_owned();
        match self {
            Trouble::Passing => BlobError::Failed { doing: "do anything", cause },
            Trouble::Lasting => BlobError::Broken { doing: "do anything", cause },
            Trouble::Full => BlobError::Full,
        }
    }

    /// What an error of the place comes to.
    pub(crate) fn of(error: &BlobError) -> Trouble {
        match error {
            BlobError::Broken { .. } => Trouble::Lasting,
            BlobError::Full => Trouble::Full,
            BlobError::Failed { .. } => Trouble::Passing,
            other => panic!("a place of this simulation does not say: {other}"),
        }
    }
}

/// What becomes of the file that an upload puts there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Putting {
    Done,
    Refused(Trouble),
    /// It is there, and the answer says that it is not.
    AnswerLost,
    /// The answer says that it is not there, and some time later it is.
    Overdue,
    /// It is there, as other bytes.
    Damaged(Damage),
}

/// What becomes of the bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    Gone,
    Shorter,
    Other,
}

/// What happened in the places, to be taken in by the world.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Names that were about to get a file.
    pub(crate) put: Vec<Name>,
    pub(crate) deleted: Vec<Name>,
    pub(crate) damaged: Vec<Name>,
    /// Files that come too late, and where their bytes are.
    pub(crate) overdue: Vec<(Arc<Directory>, Name, PathBuf)>,
}

/// One visit to a place, by an upload or a collection of garbage, and all that goes wrong during it.
pub(crate) struct Visit {
    pub(crate) place: Arc<Directory>,
    pub(crate) log: Arc<Mutex<Log>>,
    /// Files that were damaged or deleted before it began.
    pub(crate) lost_before: HashSet<BlobFile>,
    /// Nothing works.
    pub(crate) trouble: Option<Trouble>,
    pub(crate) putting: Putting,
    /// Where it takes its time.
    pub(crate) stops: Vec<Stop>,
    pub(crate) gate: Option<Gate>,
}

/// Moments in which a visit may stand still for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    BeforePut,
    AfterPut,
    Listed,
    BeforeDelete,
}

/// Stands still until somebody lets it go on.
pub(crate) struct Gate {
    pub(crate) reached: mpsc::UnboundedSender<()>,
    pub(crate) go: Arc<Semaphore>,
}

impl fmt::Debug for Visit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a visit: {:?}, {:?}, {:?}", self.trouble, self.putting, self.stops)
    }
}

impl Visit {
    /// One during which nothing goes wrong.
    pub(crate) fn fair(place: &Arc<Directory>, log: &Arc<Mutex<Log>>) -> Visit {
        Visit {
            place: Arc::clone(place),
            log: Arc::clone(log),
            lost_before: HashSet::new(),
            trouble: None,
            putting: Putting::Done,
            stops: Vec::new(),
            gate: None,
        }
    }

    fn note(&self, what: impl FnOnce(&mut Log)) {
        what(&mut self.log.lock().unwrap());
    }

    async fn at(&self, stop: Stop) {
        if let Some(gate) = self.gate.as_ref().filter(|_| self.stops.contains(&stop)) {
            let _ = gate.reached.send(());
            gate.go.acquire().await.unwrap().forget();
        }
    }

    /// Whether what needs no room can be done.
    fn works(&self) -> Result<(), BlobError> {
        match self.trouble {
            None | Some(Trouble::Full) => Ok(()),
            Some(trouble) => Err(trouble.error()),
        }
    }
}

#[async_trait]
impl Blobs for Visit {
    fn staging(&self) -> &Path {
        self.place.staging()
    }

    async fn put(&self, name: &Name, file: &Path) -> Result<(), BlobError> {
        self.note(|log| log.put.push(name.clone()));
        self.at(Stop::BeforePut).await;
        if let Some(trouble) = self.trouble {
            return Err(trouble.error());
        }
        match self.putting {
            Putting::Refused(trouble) => return Err(trouble.error()),
            Putting::Overdue => {
                let kept = file.with_extension("overdue");
                std::fs::copy(file, &kept).unwrap();
                let place = Arc::clone(&self.place);
                self.note(|log| log.overdue.push((place, name.clone(), kept)));
                return Err(Trouble::Passing.error());
            }
            _ => self.place.put(name, file).await?,
        }
        self.at(Stop::AfterPut).await;
        match self.putting {
            Putting::AnswerLost => Err(Trouble::Passing.error()),
            Putting::Damaged(damage) => {
                damage.happen(&self.place, name);
                self.note(|log| log.damaged.push(name.clone()));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn size(&self, name: &Name) -> Result<Option<u64>, BlobError> {
        self.works()?;
        self.place.size(name).await
    }

    async fn read(&self, name: &Name, offset: u64) -> Result<Box<dyn Chunks>, BlobError> {
        self.works()?;
        self.place.read(name, offset).await
    }

    async fn delete(&self, name: &Name) -> Result<(), BlobError> {
        self.at(Stop::BeforeDelete).await;
        self.works()?;
        self.note(|log| log.deleted.push(name.clone()));
        self.place.delete(name).await
    }

    async fn list(&self) -> Result<Vec<Name>, BlobError> {
        self.works()?;
        let files = self.place.list().await?;
        self.at(Stop::Listed).await;
        Ok(files)
    }

    async fn identity(&self) -> Result<String, BlobError> {
        self.works()?;
        self.place.identity().await
    }

    async fn owner(&self) -> Result<Option<Vec<u8>>, BlobError> {
        self.works()?;
        self.place.owner().await
    }

    async fn set_owner(&self, owner: Vec<u8>) -> Result<(), BlobError> {
        self.works()?;
        self.place.set_owner(owner).await
    }
}

impl Damage {
    /// Does this to a file that is there, behind everybody's back.
    pub(crate) fn happen(self, place: &Directory, name: &Name) {
        let root = place.staging().parent().unwrap();
        let file = root.join(&name.digest().as_str()[..2]).join(name.to_string());
        let Ok(mut bytes) = std::fs::read(&file) else { return };
        match self {
            Damage::Gone => std::fs::remove_file(&file).unwrap(),
            Damage::Shorter => std::fs::write(&file, &bytes[1..]).unwrap(),
            Damage::Other => {
                bytes.iter_mut().for_each(|byte| *byte = !*byte);
                std::fs::write(&file, bytes).unwrap();
            }
        }
    }
}
