//! A large dataset as bytes in one file, which all trainers of a machine map: so there is one copy of it in memory.
//!
//! Layout: [`MAGIC`]; the [`crate::Version`] of the files that it was read from; colours, classes and the numbers of
//! images that are trained on and tested on, each as 8 bytes; their labels, each as 2 bytes; their pixels; SHA-256 of all
//! that from the version on. Numbers are little endian. The file is written aside and renamed, and never changed: what is
//! mapped stays as it was, also when another file takes its name.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use acai_sweep::training::Dataset;
use sha2::{Digest, Sha256};

use crate::cache::{Key, Writer};
use crate::{DataError, Images, PIXELS, Split, places, svhn, version};

const MAGIC: &[u8; 16] = b"acai images 0001";
/// What stands before the labels: magic, version and four numbers.
const HEADER: u64 = 16 + 32 + 4 * 8;
/// Bytes of the SHA-256 at the end.
const DIGEST: u64 = 32;

/// The file's name in the dataset's folder.
const NAME: &str = "images.32x32";

/// A dataset whose pixels are in a file.
#[derive(Debug)]
pub struct Mapped {
    /// The file, open: another one may have its name by now.
    pub file: File,
    /// The file's length, in bytes.
    pub len: usize,
    /// As of [`Images`].
    pub colours: usize,
    /// As of [`Images`].
    pub classes: usize,
    /// What is trained on.
    pub train: MappedSplit,
    /// What is tested on.
    pub test: MappedSplit,
}

/// The training or the test part of a dataset in a file.
#[derive(Debug, PartialEq, Eq)]
pub struct MappedSplit {
    /// Where in the file its pixels begin, `[n, colours, 32, 32]`, 0..=255.
    pub at: usize,
    /// `[n]`.
    pub labels: Vec<u16>,
}

/// The file of `dataset` below the data folder `folder`, made if it is not there or was made from other files; `None` of
/// a dataset that is small enough for each trainer to hold, or where the file cannot be written.
///
/// # Errors
/// [`DataError`] names the folder or file that is missing or is not what the dataset needs.
pub fn open_mapped(dataset: &Dataset, folder: Option<&Path>) -> Result<Option<Mapped>, DataError> {
    if *dataset != Dataset::Svhn32 {
        return Ok(None);
    }
    let key = version(dataset, folder)?.0;
    let path = places::place(dataset, folder).join(NAME);
    if let Some(found) = find(&path, &key) {
        return Ok(Some(found));
    }
    // One process makes the file while the others wait: it holds all images in memory meanwhile. What is locked is a file
    // beside it, which stays: a lock on a file that others replace or delete keeps nobody out.
    let Ok(lock) = File::create(path.with_added_extension("lock")) else { return Ok(None) };
    let is_locked = lock.lock().is_ok();
    if is_locked && let Some(found) = find(&path, &key) {
        return Ok(Some(found));
    }
    let images = svhn::open(dataset, places::folder(dataset, folder)?)?;
    write(&path, key, &images);
    Ok(find(&path, &key))
}

/// The file at `path`, if it is whole and made from the files of `key`.
fn find(path: &Path, key: &Key) -> Option<Mapped> {
    read(File::open(path).ok()?, key).ok().flatten()
}

fn read(file: File, key: &Key) -> io::Result<Option<Mapped>> {
    let len = file.metadata()?.len();
    let mut rest = BufReader::with_capacity(1 << 18, &file);
    if array(&mut rest)? != *MAGIC || array(&mut rest)? != *key {
        return Ok(None);
    }
    let mut signed = Signed { rest, digest: Sha256::new_with_prefix(key) };
    let sizes = Sizes::read(&mut signed)?;
    let Some(Ends { labels, train, test }) = sizes.ends().filter(|ends| ends.test + DIGEST == len) else {
        return Ok(None);
    };
    let mut read_labels =
        |count| (0..count).map(|_| array(&mut signed).map(u16::from_le_bytes)).collect::<io::Result<_>>();
    let (train_labels, test_labels) = (read_labels(sizes.train)?, read_labels(sizes.test)?);
    io::copy(&mut (&mut signed).take(test - labels), &mut io::sink())?;
    let Signed { mut rest, digest } = signed;
    if array::<{ DIGEST as usize }>(&mut rest)? != digest.finalize()[..] {
        return Ok(None);
    }
    Ok(Some(Mapped {
        file,
        len: len as usize,
        colours: sizes.colours as usize,
        classes: sizes.classes as usize,
        train: MappedSplit { at: labels as usize, labels: train_labels },
        test: MappedSplit { at: train as usize, labels: test_labels },
    }))
}

/// What the file says of itself.
struct Sizes {
    colours: u64,
    classes: u64,
    train: u64,
    test: u64,
}

/// Where in the file the parts end.
struct Ends {
    labels: u64,
    train: u64,
    test: u64,
}

impl Sizes {
    fn read(file: &mut impl Read) -> io::Result<Sizes> {
        let mut number = || array(file).map(u64::from_le_bytes);
        Ok(Sizes { colours: number()?, classes: number()?, train: number()?, test: number()? })
    }

    /// None of sizes that no file has.
    fn ends(&self) -> Option<Ends> {
        let image = self.colours.checked_mul(PIXELS as u64)?;
        let labels = self.train.checked_add(self.test)?.checked_mul(2)?.checked_add(HEADER)?;
        let train = self.train.checked_mul(image)?.checked_add(labels)?;
        let test = self.test.checked_mul(image)?.checked_add(train)?;
        (test <= u64::MAX - DIGEST).then_some(Ends { labels, train, test })
    }
}

fn write(path: &Path, key: Key, Images { colours, classes, train, test }: &Images) {
    let mut writer = Writer::new(path, MAGIC, key);
    for number in [*colours, *classes, train.len(), test.len()] {
        writer.push(&(number as u64).to_le_bytes());
    }
    let parts: [&Split; 2] = [train, test];
    for label in parts.iter().flat_map(|part| &part.labels) {
        writer.push(&label.to_le_bytes());
    }
    for part in parts {
        writer.push(&part.pixels);
    }
    writer.finish();
}

fn array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut array = [0; N];
    file.read_exact(&mut array)?;
    Ok(array)
}

/// What is read, with a digest of it.
struct Signed<R> {
    rest: R,
    digest: Sha256,
}

impl<R: Read> Read for Signed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(buffer)?;
        self.digest.update(&buffer[..count]);
        Ok(count)
    }
}
