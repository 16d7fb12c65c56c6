//! celeba32: the aligned JPEGs of CelebA, 218 rows of 178 pixels, of which the middle 146×146 are scaled to 32×32.

use std::path::{Path, PathBuf};
use std::slice;

use acai_sweep::training::Dataset;
use image::DynamicImage;

use crate::pictures::{self, COLOURS, Small, is_picture};
use crate::{DataError, Images, Split, bicubic, cache, partition};

/// The folder of pictures.
pub(crate) const FOLDER: &str = "celeba/img_align_celeba";
/// All pictures at 32×32, from an earlier opening.
const CACHE: &str = "celeba/img_align_celeba.32x32";
/// Width and height of a picture.
const SIZE: (u32, u32) = (178, 218);
/// Columns and rows that are cut off on each side.
const BORDER: (u32, u32) = (16, 36);

/// Reads the pictures below `folder`, or what an earlier call has left of them if they have not changed since.
pub(crate) fn open(dataset: &Dataset, folder: &Path) -> Result<Images, DataError> {
    let pictures_folder = folder.join(FOLDER);
    if !pictures_folder.is_dir() {
        return Err(DataError::NoPictures { dataset: dataset.name().to_owned(), folder: pictures_folder });
    }
    let paths = list(&pictures_folder)?;
    let is_tested = partition::is_tested(&pictures_folder, &paths)?;
    let test = is_tested.iter().filter(|is_tested| **is_tested).count();
    let train = is_tested.len() - test;
    if train == 0 || test == 0 {
        let need =
            "at least one of each is needed; list_eval_partition.txt, beside it, decides which is which";
        return Err(DataError::TooFewPictures { path: pictures_folder, train, test, need });
    }
    let (cache, key) = (folder.join(CACHE), cache::key(&pictures_folder, &paths)?);
    let mut parts = Parts::new(&is_tested);
    if !cache::read(&cache, key, paths.len(), |pixels| parts.push(pixels)) {
        parts = Parts::new(&is_tested);
        let mut writer = cache::Writer::new(&cache, cache::MAGIC, key);
        pictures::read_all(&paths, aligned_middle, |pixels| {
            parts.push(pixels);
            writer.push(pixels);
        })?;
        writer.finish();
    }
    Ok(Images { colours: COLOURS, classes: 0, train: parts.train, test: parts.test })
}

/// What the dataset is made of: the pictures, and which part each belongs to, if a file says that.
pub(crate) fn sources(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let pictures_folder = folder.join(FOLDER);
    let mut paths = list(&pictures_folder)?;
    paths.extend(partition::file(&pictures_folder)?);
    Ok(paths)
}

fn list(pictures_folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    pictures::list(pictures_folder, is_picture)
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

/// The middle of an aligned picture, where the face is, scaled.
fn aligned_middle(picture: &DynamicImage) -> Result<Small, String> {
    let (width, height) = (picture.width(), picture.height());
    if (width, height) != SIZE {
        return Err(format!("it is {width}×{height} pixels, not {}×{}", SIZE.0, SIZE.1));
    }
    let (columns, rows) = BORDER;
    let middle = picture.crop_imm(columns, rows, width - 2 * columns, height - 2 * rows);
    Ok(bicubic::shrink(&middle.into_rgb8()))
}
