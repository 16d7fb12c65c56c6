//! Scaled pictures in one file, so that 200,000 JPEGs are decoded once and not at each start of a run.
//!
//! Layout: [`MAGIC`], a key made from the pictures' names, sizes and times, the pixels, and SHA-256 of key and pixels.
//! A cache that is absent, of other pictures or damaged is no error: pictures are read again and it is replaced.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::pictures::{COLOURS, Small};
use crate::{DataError, PIXELS};

/// The number changes with how pictures are cut and scaled.
pub(crate) const MAGIC: &[u8; 16] = b"acai 32x32 RGB 2";

/// What a cache that is being written ends in, before the process's number.
const PART: &str = "part-";
/// A cache that nobody has written to for so long is not being written. Pictures come in far more often.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// What the cached pictures were.
pub(crate) type Key = [u8; 32];

/// The key of these files below `root`: it changes when one is added, removed, renamed or written to.
pub(crate) fn key(root: &Path, paths: &[PathBuf]) -> Result<Key, DataError> {
    let mut digest = Sha256::new();
    for path in paths {
        let cant_read = |source| DataError::Read { path: path.to_owned(), source };
        let metadata = fs::metadata(path).map_err(cant_read)?;
        let changed = metadata.modified().map_err(cant_read)?.duration_since(SystemTime::UNIX_EPOCH);
        let nanoseconds = changed.map_or(0, |since| since.as_nanos());
        let name = path.strip_prefix(root).unwrap_or(path).as_os_str().as_encoded_bytes();
        digest.update((name.len() as u64).to_le_bytes());
        digest.update(name);
        digest.update(metadata.len().to_le_bytes());
        digest.update(nanoseconds.to_le_bytes());
    }
    Ok(digest.finalize().into())
}

/// Hands `count` pictures to `each` and says whether they are those of `key`. If not, what `each` got is worthless.
pub(crate) fn read(path: &Path, key: Key, count: usize, each: impl FnMut(&Small)) -> bool {
    read_whole(path, key, count, each).is_ok_and(|is_whole| is_whole)
}

fn read_whole(path: &Path, key: Key, count: usize, mut each: impl FnMut(&Small)) -> io::Result<bool> {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let (mut magic, mut found) = ([0; MAGIC.len()], Key::default());
    file.read_exact(&mut magic)?;
    file.read_exact(&mut found)?;
    if &magic != MAGIC || found != key {
        return Ok(false);
    }
    let mut digest = Sha256::new_with_prefix(key);
    let mut pixels = [0; COLOURS * PIXELS];
    for _ in 0..count {
        file.read_exact(&mut pixels)?;
        digest.update(pixels);
        each(&pixels);
    }
    let mut end = Vec::new();
    file.take(33).read_to_end(&mut end)?;
    Ok(end == digest.finalize()[..])
}

/// Writes a cache that appears whole or not at all. Where it can't be written, each opening reads the pictures.
pub(crate) struct Writer<'a> {
    path: &'a Path,
    /// Of this process alone: runs that start together may all be writing.
    unfinished: PathBuf,
    file: Option<BufWriter<File>>,
    digest: Sha256,
}

impl<'a> Writer<'a> {
    /// A cache that begins with `magic`, of what has this key.
    pub(crate) fn new(path: &'a Path, magic: &[u8; 16], key: Key) -> Writer<'a> {
        let unfinished = path.with_added_extension(format!("{PART}{}", std::process::id()));
        let file = File::create(&unfinished).ok();
        if let Some(file) = &file {
            let _ = delete_abandoned(path, file); // where it fails, only space is lost
        }
        let file = file.map(BufWriter::new);
        let mut writer = Writer { path, unfinished, file, digest: Sha256::new_with_prefix(key) };
        writer.write(magic);
        writer.write(&key);
        writer
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.write(bytes);
    }

    pub(crate) fn finish(mut self) {
        let sum = self.digest.clone().finalize();
        self.write(&sum);
        let written = self.file.take().and_then(|file| file.into_inner().ok());
        if written.is_some_and(|file| file.sync_all().is_ok()) {
            let _ = fs::rename(&self.unfinished, self.path);
        }
    }

    /// The first failure ends it: the disk is full, the folder is someone else's.
    fn write(&mut self, bytes: &[u8]) {
        if self.file.as_mut().is_some_and(|file| file.write_all(bytes).is_err()) {
            self.file = None;
        }
    }
}

/// Deletes what openings of this cache left that were killed. The time now is that of `fresh`, just made: files tell it
/// by the same clock, whichever machine holds them.
fn delete_abandoned(cache: &Path, fresh: &File) -> io::Result<()> {
    let now = fresh.metadata()?.modified()?;
    let prefix = cache.with_added_extension(PART);
    for entry in fs::read_dir(cache.parent().unwrap_or(Path::new("")))? {
        let path = entry?.path();
        if path.as_os_str().as_encoded_bytes().starts_with(prefix.as_os_str().as_encoded_bytes()) {
            let modified = fs::metadata(&path)?.modified()?;
            if now.duration_since(modified).is_ok_and(|since| since > ABANDONED) {
                fs::remove_file(&path)?;
            }
        }
    }
    Ok(())
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.unfinished); // after a success, it is no longer there
    }
}
