//! images:PATH, a folder of one's own pictures.
//!
//! Pictures of any size: the largest square in the middle of each, scaled to 32×32. With subfolders, each that holds
//! pictures is a label, in the order of their names, and pictures beside the subfolders are refused. Sorted by subfolder
//! and name, every tenth picture is tested on.

use std::fs;
use std::path::{Path, PathBuf};

use acai_sweep::training::Dataset;
use image::DynamicImage;

use crate::pictures::{self, COLOURS, Small, is_hidden, is_picture};
use crate::{DataError, Images, PIXELS, Split, places};

/// Of so many pictures, the last is tested on.
const TEST_EVERY: usize = 10;
/// Labels are 16-bit numbers.
const MAX_LABELS: usize = 1 << 16;

/// Reads the folder, which may be absolute or below the data folder `data`.
pub(crate) fn open(dataset: &Dataset, data: Option<&Path>) -> Result<Images, DataError> {
    let folder = places::place(dataset, data);
    if !folder.is_absolute() {
        places::folder(dataset, data)?;
    }
    if !folder.is_dir() {
        return Err(DataError::NoPictures { dataset: dataset.name().to_owned(), folder });
    }
    let (classes, labelled) = list(&folder)?;
    let (paths, labels): (Vec<PathBuf>, Vec<u16>) = labelled.into_iter().unzip();
    if paths.len() < TEST_EVERY {
        let (train, need) =
            (paths.len(), "at least 10 (.png, .jpg, .jpeg) are needed, since every tenth is tested on");
        return Err(DataError::TooFewPictures { path: folder, train, test: 0, need });
    }
    let (mut train, mut test) = (Split::default(), Split::default());
    let mut numbered = labels.into_iter().enumerate();
    pictures::read_all(&paths, middle, |pixels| {
        if let Some((index, label)) = numbered.next() {
            let split = if index % TEST_EVERY == TEST_EVERY - 1 { &mut test } else { &mut train };
            split.push(pixels, label);
        }
    })?;
    let mut images = Images { colours: COLOURS, classes, train, test };
    if is_grey(&images.train.pixels) && is_grey(&images.test.pixels) {
        images.colours = 1;
        for split in [&mut images.train, &mut images.test] {
            split.pixels = one_colour(&split.pixels);
        }
    }
    Ok(images)
}

/// Whether there is a picture in the folder or in a subfolder. Looks no further than the first.
pub(crate) fn has_picture(folder: &Path) -> bool {
    let is_label = |path: PathBuf| !is_hidden(&path) && pictures::has_picture(&path);
    pictures::has_picture(folder)
        || fs::read_dir(folder)
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| is_label(entry.path()))))
}

/// The number of labels, and pictures with theirs.
fn list(folder: &Path) -> Result<(usize, Vec<(PathBuf, u16)>), DataError> {
    let beside = pictures::list(folder, |path| is_picture(path) && path.is_file())?;
    let mut groups = Vec::new();
    for subfolder in pictures::list(folder, |path| path.is_dir() && !is_hidden(path))? {
        let group = pictures::list(&subfolder, |path| is_picture(path) && path.is_file())?;
        if !group.is_empty() {
            groups.push(group);
        }
    }
    match (groups.len(), beside.first()) {
        (0, _) => Ok((0, beside.into_iter().map(|path| (path, 0)).collect())),
        (_, Some(path)) => {
            let reason = "it is in none of the subfolders, which are the labels".to_owned();
            Err(DataError::Picture { path: path.to_owned(), reason })
        }
        (found @ MAX_LABELS.., None) => {
            Err(DataError::TooManyLabels { path: folder.to_owned(), found, most: MAX_LABELS - 1 })
        }
        (classes, None) => {
            let labelled =
                |(group, label): (Vec<PathBuf>, u16)| group.into_iter().map(move |path| (path, label));
            // In this order no label is asked for after the last group's, which would overflow.
            Ok((classes, groups.into_iter().zip(0..).flat_map(labelled).collect()))
        }
    }
}

/// The largest square in the middle, scaled.
fn middle(picture: &DynamicImage) -> Result<Small, String> {
    let (width, height) = (picture.width(), picture.height());
    let side = width.min(height);
    Ok(pictures::scale(&picture.crop_imm((width - side) / 2, (height - side) / 2, side, side)))
}

/// Whether red, green and blue are the same everywhere.
fn is_grey(pixels: &[u8]) -> bool {
    pixels.chunks_exact(COLOURS * PIXELS).all(|image| image[PIXELS..] == image[..(COLOURS - 1) * PIXELS])
}

fn one_colour(pixels: &[u8]) -> Vec<u8> {
    pixels.chunks_exact(COLOURS * PIXELS).flat_map(|image| &image[..PIXELS]).copied().collect()
}
