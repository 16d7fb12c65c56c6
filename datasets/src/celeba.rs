//! celeba32: the aligned JPEGs of CelebA, 218 rows of 178 pixels, of which the middle 146×146 are scaled to 32×32.
//!
//! `list_eval_partition.txt` says which pictures are trained and tested on; without it, the published numbers of the
//! pictures do. The validation part is trained on, since nothing is chosen by it here.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::slice;

use acai_sweep::training::Dataset;
use image::DynamicImage;

use crate::pictures::{self, COLOURS, Small, is_picture};
use crate::{DataError, Images, Split, cache, files};

const FOLDER: &str = "celeba/img_align_celeba";
const PARTITION: &str = "celeba/list_eval_partition.txt";
/// All pictures at 32×32, from an earlier opening.
const CACHE: &str = "celeba/img_align_celeba.32x32";
/// Width and height of a picture.
const SIZE: (u32, u32) = (178, 218);
/// Columns and rows that are cut off on each side.
const BORDER: (u32, u32) = (16, 36);
/// In the published partition, pictures from this number on are tested on.
const FIRST_TEST: u32 = 182_638;
/// More bytes than this in the partition are refused; the published one has 3 MB.
const MAX_PARTITION: u64 = 1 << 26;

/// Why a file is not CelebA's partition.
#[derive(Debug, thiserror::Error)]
enum PartitionError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("it has more than {} MB", MAX_PARTITION >> 20)]
    Oversized,
    #[error("line {0} is not a picture's name and 0, 1 or 2")]
    Line(usize),
    #[error("line {0} names a picture for the second time")]
    Twice(usize),
    #[error("it names `{0}`, which is not among the pictures")]
    NoPicture(String),
    #[error("it does not name the picture `{0}`")]
    NotNamed(String),
}

/// Reads the pictures below `folder`, or what an earlier call has left of them if they have not changed since.
pub(crate) fn open(dataset: &Dataset, folder: &Path) -> Result<Images, DataError> {
    let pictures_folder = folder.join(FOLDER);
    if !pictures_folder.is_dir() {
        return Err(DataError::NoPictures { dataset: dataset.name().to_owned(), folder: pictures_folder });
    }
    let paths = pictures::list(&pictures_folder, is_picture)?;
    let is_tested = is_tested(&paths, &folder.join(PARTITION))?;
    let test = is_tested.iter().filter(|is_tested| **is_tested).count();
    let train = is_tested.len() - test;
    if train == 0 || test == 0 {
        let need =
            "at least one of each is needed; list_eval_partition.txt, beside it, decides which is which";
        return Err(DataError::TooFewPictures { path: pictures_folder, train, test, need });
    }
    let (cache, key) = (folder.join(CACHE), cache::key(&paths)?);
    let mut parts = Parts::new(&is_tested);
    if !cache::read(&cache, key, paths.len(), |pixels| parts.push(pixels)) {
        parts = Parts::new(&is_tested);
        let mut writer = cache::Writer::new(&cache, key);
        pictures::read_all(&paths, aligned_middle, |pixels| {
            parts.push(pixels);
            writer.push(pixels);
        })?;
        writer.finish();
    }
    Ok(Images { colours: COLOURS, classes: 0, train: parts.train, test: parts.test })
}

/// The dataset as it grows, picture by picture.
struct Parts<'a> {
    is_tested: slice::Iter<'a, bool>,
    train: Split,
    test: Split,
}

impl<'a> Parts<'a> {
    fn new(is_tested: &'a [bool]) -> Parts<'a> {
        Parts { is_tested: is_tested.iter(), train: Split::default(), test: Split::default() }
    }

    fn push(&mut self, pixels: &Small) {
        let part = if self.is_tested.next() == Some(&true) { &mut self.test } else { &mut self.train };
        part.push(pixels, 0);
    }
}

/// The middle of an aligned picture, where the face is.
fn aligned_middle(picture: &DynamicImage) -> Result<DynamicImage, String> {
    let (width, height) = (picture.width(), picture.height());
    if (width, height) != SIZE {
        return Err(format!("it is {width}×{height} pixels, not {}×{}", SIZE.0, SIZE.1));
    }
    let (columns, rows) = BORDER;
    Ok(picture.crop_imm(columns, rows, width - 2 * columns, height - 2 * rows))
}

/// Which of the pictures are tested on.
fn is_tested(paths: &[PathBuf], partition: &Path) -> Result<Vec<bool>, DataError> {
    if partition.is_file() {
        return files::read(partition, |file| read_partition(file, paths));
    }
    let number = |path: &PathBuf| path.file_stem().and_then(OsStr::to_str).and_then(|stem| stem.parse().ok());
    Ok(paths.iter().map(|path| number(path).is_some_and(|number: u32| number >= FIRST_TEST)).collect())
}

/// Reads lines of a picture's name and its part: 0 training, 1 validation, 2 test.
fn read_partition(file: &mut dyn Read, paths: &[PathBuf]) -> Result<Vec<bool>, PartitionError> {
    let mut text = String::new();
    file.take(MAX_PARTITION + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_PARTITION {
        return Err(PartitionError::Oversized);
    }
    let mut parts = BTreeMap::new();
    for (index, line) in text.trim_end().lines().enumerate() {
        let (name, is_tested) = match line.split_whitespace().collect::<Vec<_>>()[..] {
            [name, "0" | "1"] => (name, false),
            [name, "2"] => (name, true),
            _ => return Err(PartitionError::Line(index + 1)),
        };
        if parts.insert(name, is_tested).is_some() {
            return Err(PartitionError::Twice(index + 1));
        }
    }
    let mut is_tested = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        is_tested.push(parts.remove(&*name).ok_or_else(|| PartitionError::NotNamed(name.into_owned()))?);
    }
    match parts.first_key_value() {
        None => Ok(is_tested),
        Some((name, _)) => Err(PartitionError::NoPicture(name.escape_debug().to_string())),
    }
}
