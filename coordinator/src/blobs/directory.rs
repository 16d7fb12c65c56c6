//! Blobs as files of a folder.
//!
//! ```text
//! <root>/ab/abcd…     a blob
//! <root>/staging/     uploads that are not whole yet
//! ```
//!
//! Not `object_store`'s local file system: that would copy what is verified in staging already,
//! where a rename is enough, and syncs neither file nor folder unless told to.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::blocking::blocking;
use super::staging::make_private;
use super::{BlobError, Blobs, CHUNK_BYTES, Chunks, Digest, OpenError, Result};

/// Blobs in a folder of this machine, or one that several coordinators share.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    staging: PathBuf,
}

impl Directory {
    /// Makes the folder where it is missing.
    ///
    /// # Errors
    /// [`OpenError::Failed`]: it cannot be made.
    pub fn open(root: &Path) -> std::result::Result<Self, OpenError> {
        let failed = |cause: io::Error| OpenError::Failed {
            place: root.display().to_string(),
            cause: cause.to_string(),
        };
        let staging = root.join("staging");
        make_private(&staging).map_err(failed)?;
        // Absolute, so that no later change of the working folder moves it.
        let root = root.canonicalize().map_err(failed)?;
        if let Some(parent) = root.parent() {
            sync_folder(parent).map_err(failed)?;
        }
        let staging = root.join("staging");
        Ok(Directory { root, staging })
    }

    fn shard(&self, digest: &Digest) -> PathBuf {
        self.root.join(digest.shard())
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.shard(digest).join(digest.as_str())
    }

    /// Makes the names durable that lead to a blob. Needed before anybody is told that it is there,
    /// not only by whoever put it: that one may have failed or be still at it.
    fn sync_names(&self, digest: &Digest) -> Result<()> {
        sync_folder(&self.shard(digest))
            .and_then(|()| sync_folder(&self.root))
            .map_err(BlobError::while_doing("make a checkpoint durable"))
    }

    fn put_blocking(&self, digest: &Digest, file: &Path) -> Result<()> {
        let doing = "keep a checkpoint";
        match DirBuilder::new().mode(0o700).create(self.shard(digest)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(BlobError::while_doing(doing)(error));
            }
            _ => {}
        }
        let path = self.path(digest);
        if self.size_blocking(digest)?.is_some() {
            // Another upload was first, and somebody may rely on its file.
            return fs::remove_file(file).map_err(BlobError::while_doing(doing));
        }
        fs::rename(file, &path).map_err(BlobError::while_doing(doing))?;
        self.sync_names(digest).inspect_err(|_| {
            // A second sync may succeed although the first one lost the name: what nobody was told
            // of must not be found there.
            let _ = fs::remove_file(&path);
        })
    }

    fn size_blocking(&self, digest: &Digest) -> Result<Option<u64>> {
        match fs::metadata(self.path(digest)) {
            Ok(metadata) => self.sync_names(digest).map(|()| Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BlobError::while_doing("look for a checkpoint")(error)),
        }
    }

    fn delete_blocking(&self, digest: &Digest) -> Result<()> {
        match fs::remove_file(self.path(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(BlobError::while_doing("delete a checkpoint")(error))
            }
            _ => Ok(()),
        }
    }

    fn list_blocking(&self) -> io::Result<Vec<(Digest, u64)>> {
        let mut blobs = Vec::new();
        for shard in fs::read_dir(&self.root)? {
            let shard = shard?;
            if shard.path() == self.staging || !shard.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(shard.path())? {
                let file = file?;
                let digest = file.file_name().to_str().and_then(|name| name.parse::<Digest>().ok());
                // Whatever else somebody put there is none of ours.
                let Some(digest) = digest.filter(|digest| shard.file_name() == digest.shard()) else {
                    continue;
                };
                blobs.push((digest, file.metadata()?.len()));
            }
        }
        Ok(blobs)
    }

    /// Runs `work` on the paths of this folder, off the threads that serve.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Directory) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let directory = Directory { root: self.root.clone(), staging: self.staging.clone() };
        blocking(move || work(&directory)).await
    }
}

#[async_trait]
impl Blobs for Directory {
    fn staging(&self) -> &Path {
        &self.staging
    }

    async fn put(&self, digest: &Digest, file: &Path) -> Result<()> {
        let (digest, file) = (digest.clone(), file.to_owned());
        self.blocking(move |directory| directory.put_blocking(&digest, &file)).await
    }

    async fn size(&self, digest: &Digest) -> Result<Option<u64>> {
        let digest = digest.clone();
        self.blocking(move |directory| directory.size_blocking(&digest)).await
    }

    async fn read(&self, digest: &Digest, offset: u64) -> Result<Box<dyn Chunks>> {
        let digest = digest.clone();
        let file = self
            .blocking(move |directory| {
                File::open(directory.path(&digest)).map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => BlobError::Missing(digest),
                    _ => BlobError::while_doing("read a checkpoint")(error),
                })
            })
            .await?;
        Ok(Box::new(Reader { file: Arc::new(file), offset }))
    }

    async fn delete(&self, digest: &Digest) -> Result<()> {
        let digest = digest.clone();
        self.blocking(move |directory| directory.delete_blocking(&digest)).await
    }

    async fn list(&self) -> Result<Vec<(Digest, u64)>> {
        self.blocking(|directory| {
            directory.list_blocking().map_err(BlobError::while_doing("list the checkpoints"))
        })
        .await
    }
}

/// An open file; it stays readable when the blob is deleted meanwhile.
struct Reader {
    file: Arc<File>,
    offset: u64,
}

#[async_trait]
impl Chunks for Reader {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let (file, offset) = (self.file.clone(), self.offset);
        let chunk = blocking(move || {
            let mut chunk = vec![0; CHUNK_BYTES];
            let read = file.read_at(&mut chunk, offset);
            chunk.truncate(read.map_err(BlobError::while_doing("read a checkpoint"))?);
            Ok(chunk)
        })
        .await?;
        self.offset += chunk.len() as u64;
        Ok(if chunk.is_empty() { None } else { Some(chunk) })
    }
}

/// A file that is renamed is durable when its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
