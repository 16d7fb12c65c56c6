//! Files with fixed names: found plain or with `.gz`, and read with what goes wrong told apart.

use std::cell::Cell;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use acai_sweep::training::Dataset;
use flate2::bufread::MultiGzDecoder;

use crate::DataError;

/// The files of `dataset` below `folder`, in the order of their names `files`. All are looked for before the first,
/// slow one is read.
pub(crate) fn find_all(dataset: &Dataset, files: &[&str], folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let missing = |path| DataError::FileMissing { dataset: dataset.name().to_owned(), path };
    let wanted = files.iter().map(|file| folder.join(file));
    wanted.map(|path| find(&path)?.ok_or_else(|| missing(path))).collect()
}

/// Those of `files` that are not below `folder`, or out of reach.
pub(crate) fn missing(files: &[&str], folder: &Path) -> Vec<PathBuf> {
    let wanted = files.iter().map(|file| folder.join(file));
    wanted.filter(|path| !matches!(find(path), Ok(Some(_)))).collect()
}

/// `path` itself or, where there is none, `path` with `.gz`.
fn find(path: &Path) -> Result<Option<PathBuf>, DataError> {
    for candidate in [path.to_owned(), path.with_added_extension("gz")] {
        if is_file(&candidate)? {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// Whether there is a file. What the operating system does not let us see is not absent.
pub(crate) fn is_file(path: &Path) -> Result<bool, DataError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(DataError::Read { path: path.to_owned(), source }),
    }
}

/// Applies a format's reader to a file, decompressing what is gzip, whatever its name.
///
/// What the operating system refuses is [`DataError::Read`]; everything else is the file's own fault.
pub(crate) fn read<T, E: Into<Box<dyn Error + Send + Sync>>>(
    path: &Path,
    read: impl FnOnce(&mut dyn Read) -> Result<T, E>,
) -> Result<T, DataError> {
    let cant_read = |source| DataError::Read { path: path.to_owned(), source };
    let refused = Cell::new(None);
    let disk = Disk { file: File::open(path).map_err(cant_read)?, refused: &refused };
    let mut file = BufReader::new(disk);
    let is_gzip = file.fill_buf().map_err(cant_read)?.starts_with(&[0x1f, 0x8b]);
    let outcome = if is_gzip { read(&mut MultiGzDecoder::new(file)) } else { read(&mut file) };
    outcome.map_err(|reason| match refused.take() {
        Some(source) => cant_read(source),
        None => DataError::NotTheFile { path: path.to_owned(), reason: reason.into() },
    })
}

/// A file that remembers what the operating system refused, which readers above it may have wrapped.
struct Disk<'a> {
    file: File,
    refused: &'a Cell<Option<io::Error>>,
}

impl Read for Disk<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).inspect_err(|error| {
            self.refused.set(error.raw_os_error().map(io::Error::from_raw_os_error));
        })
    }
}
