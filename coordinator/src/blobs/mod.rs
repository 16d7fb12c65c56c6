//! Checkpoints as files that are known by the SHA-256 of their bytes alone.
//!
//! ```text
//! upload ─▶ staging/<sha256>, on a local disk ─▶ length and digest verified ─▶ put ─▶ ab/abcd…-<tag>, for good
//! ```
//!
//! **A file may be deleted when the store knows its [`Name`] no more, at any time after.** Each upload makes a file of a
//! new name, which the store knows before there is a file: as an upload under way, then as the blob's. A name that it has
//! forgotten is never known again. So whoever has seen a file, and then that the store does not know its name, may delete
//! that file, minutes or days later, in a folder or a bucket, from several coordinators at once: what is uploaded
//! meanwhile has another name. Forgetting is one transaction, which proves that nothing needs the blob (`garbage.rs`).
//!
//! [`Blobs`] is where they end, a folder or a bucket; [`staging`] is where they come together first.
//! Nothing that a client says becomes a path but a [`Digest`], which cannot say more than 64
//! hexadecimal digits.

pub mod arrival;
mod blocking;
mod digest;
pub mod directory;
mod error;
pub mod missing;
pub mod owner;
pub mod s3;
pub(crate) mod staging;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

pub use digest::{Digest, Name, NotADigest};
pub use error::{BlobError, OpenError};

use directory::Directory;
use s3::Bucket;

use crate::store::url::without_secrets;

/// Result of what is done with blobs.
pub type Result<T> = std::result::Result<T, BlobError>;

/// Bytes of a chunk at the most, on the wire and off it.
pub const CHUNK_BYTES: usize = 1 << 20;

/// Bytes of a blob at the most.
pub const BLOB_BYTES: u64 = 4 << 30;

/// Whole blobs. An implementation keeps a blob for good once [`Blobs::put`] or [`Blobs::size`] has
/// said that it is there, until [`Blobs::delete`].
#[async_trait]
pub trait Blobs: std::fmt::Debug + Send + Sync + 'static {
    /// The local folder where uploads come together; [`Blobs::put`] takes its files from there.
    fn staging(&self) -> &Path;

    /// Takes a file of [`Blobs::staging`] whose bytes have this digest and are durable, under a name that no file has had;
    /// the file is gone then. Answered when the blob is durable.
    async fn put(&self, name: &Name, file: &Path) -> Result<()>;

    /// The size of a file that is there, and durable.
    async fn size(&self, name: &Name) -> Result<Option<u64>>;

    /// Reads a blob from `offset` on, which is not beyond its end. Nothing verifies the bytes on
    /// their way: whoever needs them whole hashes them.
    async fn read(&self, name: &Name, offset: u64) -> Result<Box<dyn Chunks>>;

    /// Removes a file. Repeating it is harmless.
    async fn delete(&self, name: &Name) -> Result<()>;

    /// Every file, in no order.
    async fn list(&self) -> Result<Vec<Name>>;

    /// What tells this place from copies of it; the same for all where that cannot be told.
    async fn identity(&self) -> Result<String>;

    /// The text that says whose this place is; none while nobody said so.
    async fn owner(&self) -> Result<Option<Vec<u8>>>;

    /// Replaces that text.
    async fn set_owner(&self, owner: Vec<u8>) -> Result<()>;
}

/// Whether the bytes of a file have its digest.
///
/// # Errors
/// [`BlobError`]: it is not there, or cannot be read, which says nothing of its bytes.
pub(crate) async fn is_whole(blobs: &dyn Blobs, name: &Name) -> Result<bool> {
    let mut hash = Sha256::new();
    // A bucket has no range of an empty object.
    if blobs.size(name).await? != Some(0) {
        let mut chunks = blobs.read(name, 0).await?;
        while let Some(chunk) = chunks.next().await? {
            hash.update(&chunk);
        }
    }
    Ok(Digest::of(&hash.finalize()) == *name.digest())
}

/// A blob being read.
#[async_trait]
pub trait Chunks: Send {
    /// The next bytes, [`CHUNK_BYTES`] at the most; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>>;
}

/// Opens the place that a path or URL names: a folder, made where missing, or `s3://BUCKET/PREFIX`
/// with what the environment's `AWS_*` variables say of its account, region and endpoint. Uploads
/// to a bucket come together in `local`, a folder on this machine.
///
/// # Errors
/// [`OpenError`]: no such kind of place, or it cannot be used.
pub async fn open(place: &str, local: &Path) -> std::result::Result<Arc<dyn Blobs>, OpenError> {
    match place.split_once("://") {
        Some(("s3", _)) => {
            // Variables that are not text are none of ours; `vars` would panic at them.
            let text =
                |(name, value): (OsString, OsString)| name.into_string().ok().zip(value.into_string().ok());
            let variables = std::env::vars_os().filter_map(text).collect();
            Ok(Arc::new(Bucket::open(place, local, variables).await?))
        }
        Some(_) => Err(OpenError::Place(without_secrets(place))),
        None if place.is_empty() => Err(OpenError::Place(place.to_owned())),
        None => Ok(Arc::new(Directory::open(Path::new(place))?)),
    }
}
