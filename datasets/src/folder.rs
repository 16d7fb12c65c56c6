//! images:PATH, a folder of one's own pictures.
//!
//! Pictures of any size, PNG or JPEG, turned upright as their EXIF data say: the largest square in the middle of each,
//! as long as the picture's shorter side, scaled to 32×32 (bicubic). If all of them are grey, they have one colour, else
//! three. With subfolders, each that holds pictures is a label, in the order of their names, and pictures beside the
//! subfolders are refused.
//!
//! A tenth of the pictures is tested on, and never trained on: sorted by subfolder and name (by their bytes: capitals
//! first, 10.png before 9.png), the 10th, the 20th, and so on. Nothing is drawn, so the same files are tested on
//! everywhere; a file that is added or removed moves what comes after it.

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
/// A single picture whose shorter side has fewer pixels is refused: most of its 32×32 pixels would be made up.
const LEAST_SIDE: u32 = 16;

/// Reads the folder, which may be absolute or below the data folder `data`.
pub(crate) fn open(dataset: &Dataset, data: Option<&Path>) -> Result<Images, DataError> {
    let folder = places::place(dataset, data);
    if data.is_none() && !folder.is_absolute() {
        return Err(DataError::NoFolder { dataset: dataset.name().to_owned(), file: folder });
    }
    if !folder.is_dir() {
        return Err(DataError::no_own_pictures(dataset, data));
    }
    let (classes, labelled) = list(&folder)?;
    let (paths, labels): (Vec<PathBuf>, Vec<u16>) = labelled.into_iter().unzip();
    if paths.is_empty() {
        return Err(DataError::no_own_pictures(dataset, data));
    }
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

/// What the folder's dataset is made of.
pub(crate) fn sources(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(list(folder)?.1.into_iter().map(|(path, _)| path).collect())
}

/// Whether there is a picture in the folder or in a subfolder. Looks no further than the first.
pub(crate) fn has_picture(folder: &Path) -> bool {
    let is_label = |path: PathBuf| !is_hidden(&path) && pictures::has_picture(&path);
    pictures::has_picture(folder)
        || fs::read_dir(folder)
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| is_label(entry.path()))))
}

/// A single picture, brought to `[colours, 32, 32]` as those of a folder are. For one colour, a coloured picture is made
/// grey by the weights of ITU-R BT.601.
///
/// # Errors
/// [`DataError`] names the file, and says that it cannot be read, is no PNG or JPEG picture or is smaller than 16×16.
pub fn picture(file: &Path, colours: usize) -> Result<Vec<u8>, DataError> {
    let pixels = pictures::read(file, middle_of_enough)?;
    Ok(match colours {
        1 => (0..PIXELS).map(|at| grey([0, 1, 2].map(|colour| pixels[colour * PIXELS + at]))).collect(),
        _ => pixels.to_vec(),
    })
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

/// As [`middle`], of a picture that is large enough to stand alone.
fn middle_of_enough(picture: &DynamicImage) -> Result<Small, String> {
    let (width, height) = (picture.width(), picture.height());
    if width.min(height) < LEAST_SIDE {
        return Err(format!(
            "it is {width}×{height} pixels, too small: {LEAST_SIDE}×{LEAST_SIDE} are needed"
        ));
    }
    middle(picture)
}

/// How light a colour is; a grey stays as it is.
fn grey(colour: [u8; COLOURS]) -> u8 {
    let [red, green, blue] = colour.map(u32::from);
    ((299 * red + 587 * green + 114 * blue + 500) / 1000) as u8
}

/// Whether red, green and blue are the same everywhere.
fn is_grey(pixels: &[u8]) -> bool {
    pixels.chunks_exact(COLOURS * PIXELS).all(|image| image[PIXELS..] == image[..(COLOURS - 1) * PIXELS])
}

fn one_colour(pixels: &[u8]) -> Vec<u8> {
    pixels.chunks_exact(COLOURS * PIXELS).flat_map(|image| &image[..PIXELS]).copied().collect()
}
