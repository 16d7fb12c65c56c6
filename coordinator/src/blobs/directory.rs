//! Blobs as files of a folder.
//!
//! ```text
//! <root>/ab/abcd…-<tag>   a blob
//! <root>/staging/         uploads that are not whole yet
//! <root>/owner            whose this is
//! ```
//!
//! Not `object_store`'s local file system: that would copy what is verified in staging already,
//! where a rename is enough, and syncs neither file nor folder unless told to.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;

use super::blocking::blocking;
use super::digest::is_shard;
use super::staging::make_private;
use super::{BlobError, Blobs, CHUNK_BYTES, Chunks, Name, OpenError, Result};

/// The file that says whose the folder is.
const OWNER: &str = "owner";

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

    fn shard(&self, name: &Name) -> PathBuf {
        self.root.join(name.digest().shard())
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.shard(name).join(name.to_string())
    }

    /// Makes the names durable that lead to a blob. Needed before anybody is told that it is there,
    /// not only by whoever put it: that one may have failed or be still at it.
    fn sync_names(&self, name: &Name) -> Result<()> {
        sync_folder(&self.shard(name))
            .and_then(|()| sync_folder(&self.root))
            .map_err(BlobError::while_doing("make a checkpoint durable"))
    }

    fn put_blocking(&self, name: &Name, file: &Path) -> Result<()> {
        let doing = "keep a checkpoint";
        match DirBuilder::new().mode(0o700).create(self.shard(name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(BlobError::while_doing(doing)(error));
            }
            _ => {}
        }
        let path = self.path(name);
        fs::rename(file, &path).map_err(BlobError::while_doing(doing))?;
        self.sync_names(name).inspect_err(|_| {
            // A second sync may succeed although the first one lost the name: what nobody was told
            // of must not be found there.
            let _ = fs::remove_file(&path);
        })
    }

    fn size_blocking(&self, name: &Name) -> Result<Option<u64>> {
        match fs::metadata(self.path(name)) {
            Ok(metadata) => self.sync_names(name).map(|()| Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BlobError::while_doing("look for a checkpoint")(error)),
        }
    }

    fn delete_blocking(&self, name: &Name) -> Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(BlobError::while_doing("delete a checkpoint")(error))
            }
            _ => Ok(()),
        }
    }

    fn list_blocking(&self) -> io::Result<Vec<Name>> {
        let mut blobs = Vec::new();
        for shard in fs::read_dir(&self.root)? {
            let shard = shard?;
            // Whatever else somebody put there is none of ours, and perhaps not to be opened, as `lost+found`.
            if !shard.file_name().to_str().is_some_and(is_shard) || !shard.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(shard.path())? {
                let name = file?.file_name().to_str().and_then(|name| name.parse::<Name>().ok());
                blobs.extend(name.filter(|name| shard.file_name() == name.digest().shard()));
            }
        }
        Ok(blobs)
    }

    fn set_owner_blocking(&self, owner: &[u8]) -> io::Result<()> {
        // Of a name of its own: two coordinators may be at it.
        let temporary = self.root.join(format!("{OWNER}.{:032x}.tmp", rand::random::<u128>()));
        let write = || {
            let mut file = File::create_new(&temporary)?;
            file.write_all(owner)?;
            file.sync_all()?;
            fs::rename(&temporary, self.root.join(OWNER))
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })?;
        sync_folder(&self.root)
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

    async fn put(&self, name: &Name, file: &Path) -> Result<()> {
        let (name, file) = (name.clone(), file.to_owned());
        self.blocking(move |directory| directory.put_blocking(&name, &file)).await
    }

    async fn size(&self, name: &Name) -> Result<Option<u64>> {
        let name = name.clone();
        self.blocking(move |directory| directory.size_blocking(&name)).await
    }

    async fn read(&self, name: &Name, offset: u64) -> Result<Box<dyn Chunks>> {
        let name = name.clone();
        let file = self
            .blocking(move |directory| {
                File::open(directory.path(&name)).map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => BlobError::Missing(name.digest().clone()),
                    _ => BlobError::while_doing("read a checkpoint")(error),
                })
            })
            .await?;
        Ok(Box::new(Reader { file: Arc::new(file), offset }))
    }

    async fn delete(&self, name: &Name) -> Result<()> {
        let name = name.clone();
        self.blocking(move |directory| directory.delete_blocking(&name)).await
    }

    async fn list(&self) -> Result<Vec<Name>> {
        self.blocking(|directory| {
            directory.list_blocking().map_err(BlobError::while_doing("list the checkpoints"))
        })
        .await
    }

    async fn identity(&self) -> Result<String> {
        self.blocking(|directory| {
            birth(&directory.root).map_err(BlobError::while_doing("look at the checkpoints' folder"))
        })
        .await
    }

    async fn owner(&self) -> Result<Option<Vec<u8>>> {
        self.blocking(|directory| match fs::read(directory.root.join(OWNER)) {
            Ok(owner) => Ok(Some(owner)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BlobError::while_doing("read whose checkpoints these are")(error)),
        })
        .await
    }

    async fn set_owner(&self, owner: Vec<u8>) -> Result<()> {
        self.blocking(move |directory| {
            let doing = BlobError::while_doing("write down whose checkpoints these are");
            directory.set_owner_blocking(&owner).map_err(doing)
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

/// What a file or folder keeps when it is renamed, and its copies do not have: its number, and where the file system knows
/// of that its time of birth, since a copy on another disk may have the same number.
pub(crate) fn birth(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    let born = metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    Ok(format!("{} of {}", metadata.ino(), born.unwrap_or_default().as_nanos()))
}
