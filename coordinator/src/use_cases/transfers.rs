//! Checkpoints and artifacts come and go.

use std::sync::Arc;

use async_trait::async_trait;
use prometheus_client::metrics::counter::Counter;

use super::{Result, UseCaseError};
use crate::blobs::arrival::{self, Present};
use crate::blobs::staging::{Staged, staged};
use crate::blobs::{BlobError, Blobs, Chunks, Digest};
use crate::garbage::{Ages, find};
use crate::metrics::Metrics;
use crate::store::{AttemptRef, BlobFile, Store, Submitter};

/// Uploads and downloads of blobs.
#[derive(Clone)]
pub struct Transfers {
    pub(super) store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    metrics: Metrics,
}

/// What there is of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All of it, so many bytes.
    Whole(u64),
    /// The first so many bytes; an upload goes on from there.
    Staged(u64),
}

/// What somebody wants to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Whose it is; `None`: an import will name it.
    pub attempt: Option<AttemptRef>,
    /// Who uploads it; none where nobody needs a token.
    pub submitter: Option<Submitter>,
    /// Of all bytes.
    pub digest: Digest,
    /// Bytes of the blob.
    pub size: u64,
    /// How many of them are there already.
    pub offset: u64,
    /// An artifact, which the run's latest attempt may upload when it has ended too.
    pub is_artifact: bool,
}

impl Transfers {
    /// Of blobs that `store` knows and `blobs` keeps; counted in `metrics`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, blobs: Arc<dyn Blobs>, metrics: Metrics) -> Transfers {
        Transfers { store, blobs, metrics }
    }

    /// How much of a blob is there. An upload that was cut off before the store knew of the blob is uploaded again, and so is
    /// a blob whose file has another length.
    ///
    /// # Errors
    /// The store's, and those of the place where blobs are kept.
    pub async fn progress(&self, digest: &Digest) -> Result<Progress> {
        if let Some((name, bytes)) = find(&*self.store, digest.as_str()).await?
            && self.blobs.size(&name).await? == Some(bytes)
        {
            return Ok(Progress::Whole(bytes));
        }
        Ok(Progress::Staged(staged(self.blobs.staging(), digest).await?))
    }

    /// The bytes of a blob from `offset` on; `None` if the blob ends there.
    ///
    /// # Errors
    /// [`BlobError::Missing`] and others of the place where blobs are kept, and the store's; an offset beyond the end.
    pub async fn open(&self, digest: &Digest, offset: u64) -> Result<Option<Box<dyn Chunks>>> {
        let missing = || BlobError::Missing(digest.clone());
        let (name, bytes) = find(&*self.store, digest.as_str()).await?.ok_or_else(missing)?;
        let size = self.blobs.size(&name).await?.ok_or_else(missing)?;
        // An interrupted restore or a repair of the file system leaves such a file: no reader may take its end for the
        // blob's, or wait for what is not there.
        if size != bytes {
            let cause = format!("the file of the blob {digest} has {size} bytes, not {bytes}");
            return Err(BlobError::Broken { doing: "read a checkpoint", cause }.into());
        }
        if offset > size {
            return Err(UseCaseError::BeyondBlob { size, offset });
        }
        // A bucket has no range that begins at the end.
        if offset == size {
            return Ok(None);
        }
        let chunks = self.blobs.read(&name, offset).await?;
        let bytes = self.metrics.blob_bytes.get_or_create_owned(&[("direction", "out")]);
        Ok(Some(Box::new(Counted { chunks, bytes })))
    }

    /// Begins an upload, or goes on with it; `None` if the blob is there already.
    ///
    /// # Errors
    /// The store's: among them, that the attempt no longer holds the run, or that the submitter would have too much; those of the place where blobs are kept; another
    /// size than that of the blob which is there.
    pub async fn begin(&self, announced: Announced) -> Result<Option<Upload>> {
        match announced.attempt {
            Some(attempt) if announced.is_artifact => self.store.attempt_check_latest(attempt).await?,
            Some(attempt) => self.store.attempt_check(attempt).await?,
            None => {}
        }
        let gone = match arrival::look(&*self.store, &*self.blobs, &announced.digest).await? {
            Present::Whole(bytes) if bytes == announced.size => return Ok(None),
            Present::Whole(bytes) => {
                let problem = format!("is {}, but the blob has {bytes} bytes", announced.size);
                return Err(UseCaseError::Question { part: "header.size", problem });
            }
            Present::Gone(file) => Some(file),
            Present::Nothing => None,
        };
        self.count(&announced).await?;
        let opened = Staged::open(self.blobs.staging(), announced.digest.clone(), announced.offset);
        Ok(Some(Upload { transfers: self.clone(), staged: opened.await?, announced, gone }))
    }

    /// Counts what a submitter uploads for an import, which may not come, for as long as it would be kept; also where the submitter
    /// names an attempt, which may be anybody's. Workers are no submitters.
    async fn count(&self, announced: &Announced) -> Result<()> {
        let Announced { submitter: Some(who), digest, size, .. } = announced else { return Ok(()) };
        if who.allowance.bytes.is_none() {
            return Ok(());
        }
        let kept_ms = Ages::default().unused_ms;
        Ok(self.store.upload_announce(who.clone(), digest.as_str(), *size, kept_ms).await?)
    }

    /// Notes for people, among the run's events, that what an attempt uploads cannot be kept until somebody repairs
    /// something. Other errors are the worker's to deal with.
    pub async fn note(&self, attempt: AttemptRef, error: &UseCaseError) {
        if let UseCaseError::Blob(BlobError::Broken { .. }) = error
            && let Err(error) = self.store.attempt_note(attempt, error.to_string()).await
        {
            tracing::warn!(%error, id = %attempt.run, "cannot note what became of a checkpoint");
        }
    }
}

/// Chunks whose bytes are counted.
struct Counted {
    chunks: Box<dyn Chunks>,
    bytes: Counter,
}

#[async_trait]
impl Chunks for Counted {
    async fn next(&mut self) -> std::result::Result<Option<Vec<u8>>, BlobError> {
        let chunk = self.chunks.next().await?;
        self.bytes.inc_by(chunk.as_ref().map_or(0, Vec::len) as u64);
        Ok(chunk)
    }
}

/// An upload under way. What has come stays when this is dropped, and a later upload goes on from there.
pub struct Upload {
    transfers: Transfers,
    staged: Staged,
    announced: Announced,
    /// A file of the blob that is gone or has another length.
    gone: Option<BlobFile>,
}

impl Upload {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`BlobError`]; more bytes than announced make what has come forgotten.
    pub async fn append(&mut self, data: Vec<u8>) -> Result<()> {
        let size = self.announced.size;
        if self.staged.length() + data.len() as u64 > size {
            return Ok(self.staged.forget(format!("more than {size} bytes were sent")).await?);
        }
        let bytes = data.len() as u64;
        self.staged.append(data).await?;
        self.transfers.metrics.blob_bytes.get_or_create(&[("direction", "in")]).inc_by(bytes);
        Ok(())
    }

    /// Makes what has come a blob, if it is what was announced. This goes on when nobody waits for it, so that a client that
    /// hangs up leaves neither half an object in a bucket nor a blob that nobody was told of.
    ///
    /// # Errors
    /// [`BlobError`], the store's, or that the upload took so long that it was forgotten.
    pub async fn finish(self) -> Result<()> {
        tokio::spawn(self.keep()).await.map_err(|error| UseCaseError::BrokenDown(error.to_string()))?
    }

    async fn keep(self) -> Result<()> {
        let Announced { digest, size, .. } = self.announced;
        self.staged.verify(size).await?;
        let Transfers { store, blobs, .. } = &self.transfers;
        Ok(arrival::keep(&**store, &**blobs, (digest, size), self.staged.path(), self.gone).await?)
    }
}
