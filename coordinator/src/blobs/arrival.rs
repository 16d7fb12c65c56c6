//! How a file that has come together becomes the blob's, in the order that makes deleting safe.

use std::path::Path;

use super::{BlobError, Blobs, Digest, Name};
use crate::store::{BlobFile, Store, StoreError};

/// Why a file did not become the blob's.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    /// The place where blobs are kept did not take it, or cannot be read.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The store did not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was begun so long ago that the store has forgotten it.
    #[error("the upload took too long and is forgotten: send it again")]
    Forgotten,
}

/// What there is of a blob that somebody wants to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Present {
    /// Nothing.
    Nothing,
    /// All of it, so many bytes; it stays as if it had just been uploaded.
    Whole(u64),
    /// The store knows this file, which is gone or has another length.
    Gone(BlobFile),
}

/// Looks for a blob before it is uploaded.
///
/// # Errors
/// [`ArrivalError`]: the store or the place cannot say.
pub async fn look(store: &dyn Store, blobs: &dyn Blobs, digest: &Digest) -> Result<Present, ArrivalError> {
    let Some((file, bytes)) = store.blob_use(digest.as_str()).await? else { return Ok(Present::Nothing) };
    let there = match Name::known(digest.clone(), &file.tag) {
        Some(name) => blobs.size(&name).await?,
        None => None,
    };
    Ok(if there == Some(bytes) { Present::Whole(bytes) } else { Present::Gone(file) })
}

/// Makes a file of [`Blobs::staging`], whose bytes are verified and durable, the blob's; in place of one that is gone or
/// damaged, if there was one. The store knows of the file before there is one, and the caller of the blob when both the file
/// and that are durable.
///
/// # Errors
/// [`ArrivalError`], and what there is of the file is found later as one that nobody knows.
pub async fn keep(
    store: &dyn Store,
    blobs: &dyn Blobs,
    (digest, bytes): (Digest, u64),
    staged: &Path,
    gone: Option<BlobFile>,
) -> Result<(), ArrivalError> {
    let name = Name::unused(digest);
    let file = BlobFile::from(&name);
    store.blob_begin(file.clone()).await?;
    if let Err(error) = blobs.put(&name, staged).await {
        if let Err(error) = store.blob_abandon(file).await {
            tracing::warn!(%error, %name, "an upload that failed is forgotten later");
        }
        return Err(error.into());
    }
    let replaced = gone.as_ref().and_then(|gone| Name::known(name.digest().clone(), &gone.tag));
    let added = store.blob_add(file.clone(), bytes, gone).await?;
    // Of the two files the store does not know one any more.
    let unneeded = if added.as_ref() == Some(&file) { replaced } else { Some(name) };
    if let Some(name) = unneeded
        && let Err(error) = blobs.delete(&name).await
    {
        tracing::warn!(%error, %name, "a file that is not needed stays until it is looked for");
    }
    added.map(drop).ok_or(ArrivalError::Forgotten)
}
