//! Uploads that are not whole yet: one local file a digest, `staging/<sha256>`.
//!
//! The file's length is all that is remembered of an upload. Its bytes are a prefix of the blob, as
//! far as anybody knows; whether they are, the digest says at the end. So an upload may break off at
//! any byte, and any attempt that has the same bytes may go on with it.
//!
//! Whoever writes holds a lock on the file. A second upload of the same blob is told to come back.

use std::fs::{self, DirBuilder, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::blocking::blocking;
use super::{BlobError, CHUNK_BYTES, Digest, Result};
use crate::clock::Clock;

/// What nobody went on with for this long is removed …
const ABANDONED_MS: i64 = 24 * 60 * 60 * 1000;
/// … when it is looked for, this often and at the start.
const LOOK: Duration = Duration::from_secs(60 * 60);

/// An upload that this task alone goes on with.
#[derive(Debug)]
pub(crate) struct Staged {
    digest: Digest,
    path: PathBuf,
    /// Locked. A write that outlives its request has a share, and so the lock stays until it ends.
    file: Arc<File>,
    length: u64,
}

/// Bytes of a blob that are staged.
///
/// # Errors
/// [`BlobError::Failed`]: the folder cannot be read.
pub(crate) async fn staged(folder: &Path, digest: &Digest) -> Result<u64> {
    let path = folder.join(digest.as_str());
    blocking(move || match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(BlobError::while_doing("look for an upload")(error)),
    })
    .await
}

impl Staged {
    /// Goes on with the upload of a blob at `offset`.
    ///
    /// # Errors
    /// [`BlobError::Offset`]: not that many bytes are staged. [`BlobError::Busy`]: somebody else is
    /// at it. [`BlobError::Full`] and [`BlobError::Failed`]: the disk is.
    pub(crate) async fn open(folder: &Path, digest: Digest, offset: u64) -> Result<Self> {
        let path = folder.join(digest.as_str());
        blocking(move || {
            let opened = File::options()
                .read(true)
                .write(true)
                .create(offset == 0)
                .truncate(false)
                .mode(0o600)
                .open(&path);
            let file = match opened {
                Err(error) if error.kind() == io::ErrorKind::NotFound && offset > 0 => {
                    return Err(BlobError::Offset { staged: 0 });
                }
                opened => opened.map_err(BlobError::while_doing("stage an upload"))?,
            };
            let Some(metadata) = lock(&file, &path)? else { return Err(BlobError::Busy) };
            if metadata.len() != offset {
                return Err(BlobError::Offset { staged: metadata.len() });
            }
            Ok(Staged { digest, path, file: Arc::new(file), length: offset })
        })
        .await
    }

    /// Bytes so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends bytes. After an error the upload can be opened again at what [`staged`] says.
    ///
    /// # Errors
    /// [`BlobError::Full`] and [`BlobError::Failed`]: the disk is.
    pub(crate) async fn append(&mut self, data: Vec<u8>) -> Result<()> {
        let (file, at, bytes) = (self.file.clone(), self.length, data.len() as u64);
        blocking(move || file.write_all_at(&data, at).map_err(BlobError::while_doing("stage an upload")))
            .await?;
        self.length += bytes;
        Ok(())
    }

    /// Proves that the file is the blob and durable.
    ///
    /// # Errors
    /// [`BlobError::Mismatch`]: its length or its digest is another. [`BlobError::Full`] and
    /// [`BlobError::Failed`]: it cannot be made durable or read. Either way what a second try could
    /// take for the blob is removed.
    pub(crate) async fn verify(&self, size: u64) -> Result<()> {
        if self.length != size {
            return self.forget(format!("{} bytes were sent, not {size}", self.length)).await;
        }
        let file = self.file.clone();
        let hashed = blocking(move || {
            // After a failed sync the kernel may call the pages clean and the next sync succeed.
            file.sync_all()
                .and_then(|()| hash(&file))
                .map_err(BlobError::while_doing("make an upload durable"))
        })
        .await;
        match hashed {
            Ok(hash) if hash == self.digest => Ok(()),
            Ok(hash) => {
                self.forget(format!("the SHA-256 of what was sent is {hash}, not {}", self.digest)).await
            }
            Err(error) => {
                self.remove().await?;
                Err(error)
            }
        }
    }

    /// Removes the file.
    ///
    /// # Errors
    /// [`BlobError::Mismatch`], which says why, or what the disk said.
    pub(crate) async fn forget(&self, why: String) -> Result<()> {
        self.remove().await?;
        Err(BlobError::Mismatch(why))
    }

    async fn remove(&self) -> Result<()> {
        let path = self.path.clone();
        blocking(move || fs::remove_file(path).map_err(BlobError::while_doing("forget an upload"))).await
    }
}

/// Removes abandoned uploads, now and then for ever.
pub(crate) async fn clear_abandoned(folder: &Path, clock: Clock) {
    loop {
        let (folder, now_ms) = (folder.to_owned(), clock.now_ms());
        let doing = BlobError::while_doing("clear away abandoned uploads");
        match blocking(move || remove_older(&folder, now_ms - ABANDONED_MS).map_err(doing)).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "uploads that nobody went on with are removed"),
            Err(error) => tracing::warn!(%error, "abandoned uploads stay"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn remove_older(folder: &Path, than_ms: i64) -> io::Result<u32> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Ok(file) = File::open(&path) else { continue };
        // What is locked or gone is not abandoned.
        let Ok(Some(metadata)) = lock(&file, &path) else { continue };
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        if modified.as_millis().cast_signed() < i128::from(than_ms) {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Locks a file that was opened at `path`. None: somebody else has it, or has just made a blob of
/// it or removed it, so that it is not the file at `path` any more.
fn lock(file: &File, path: &Path) -> Result<Option<Metadata>> {
    let doing = "lock an upload";
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(BlobError::while_doing(doing)(error)),
        Ok(()) => {}
    }
    let ours = file.metadata().map_err(BlobError::while_doing(doing))?;
    let there = fs::metadata(path).ok();
    Ok(there.filter(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())))
}

/// Digest of a whole file.
fn hash(file: &File) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut at = 0;
    loop {
        match file.read_at(&mut chunk, at)? {
            0 => return Ok(Digest::of(&hash.finalize())),
            read => {
                hash.update(&chunk[..read]);
                at += read as u64;
            }
        }
    }
}

/// Makes a folder, with those above it, that nobody else may enter.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
