//! svhn32: MATLAB files with an array `X` of images and an array `y` of labels.
//!
//! The extra images are trained on too. A file of 1.3 GB is read image by image, never held beside its images.

use std::io::Read;
use std::path::Path;

use acai_sweep::training::Dataset;

use crate::matlab::{self, MatlabError, Visit};
use crate::{DataError, Images, PIXELS, Split, WIDTH, files};

/// Labels are `1..=CLASSES` in the files, where 10 stands for the digit 0, and one less here.
const CLASSES: u16 = 10;
const COLOURS: usize = 3;
/// More images in a file than this are refused: extra has 531,131. It bounds what a damaged or malicious file can make
/// us allocate, to 3 GB.
const MAX_COUNT: u32 = 1_000_000;

/// Why a file is none of SVHN's.
#[derive(Debug, thiserror::Error)]
enum SvhnError {
    #[error(transparent)]
    Matlab(#[from] MatlabError),
    #[error("it holds no array `{0}`")]
    Absent(&'static str),
    #[error("it holds the array `{0}` twice")]
    Twice(&'static str),
    #[error("array `{name}` has size {dimensions:?}, not {expected}")]
    Size { name: &'static str, dimensions: Vec<u32>, expected: &'static str },
    #[error("label {index} is {label}, outside 1..=10")]
    Label { index: usize, label: f64 },
}

/// Reads the three files below `folder`.
pub(crate) fn open(dataset: &Dataset, folder: &Path) -> Result<Images, DataError> {
    let found = files::find_all(dataset, dataset.files(), folder)?;
    let [train_file, extra_file, test_file] = &found[..] else { unreachable!("SVHN has three files") };
    let (mut train, mut test) = (Split::default(), Split::default());
    read_file(train_file, &mut train)?;
    read_file(extra_file, &mut train)?;
    read_file(test_file, &mut test)?;
    Ok(Images { colours: COLOURS, classes: CLASSES.into(), train, test })
}

/// Adds a file's images and labels to `split`.
fn read_file(path: &Path, split: &mut Split) -> Result<(), DataError> {
    let (pixels, labels) = (split.pixels.len(), split.labels.len());
    files::read(path, |file| read_arrays(file, split))?;
    let images = (split.pixels.len() - pixels) / (COLOURS * PIXELS);
    let labels = split.labels.len() - labels;
    if images != labels {
        return Err(DataError::Unpaired { path: path.to_owned(), images, labels });
    }
    Ok(())
}

fn read_arrays(file: &mut dyn Read, split: &mut Split) -> Result<(), SvhnError> {
    let (mut has_images, mut has_labels) = (false, false);
    matlab::visit_arrays(file, |array, values| {
        match array.name.as_str() {
            "X" if has_images => return Err(SvhnError::Twice("X")),
            "y" if has_labels => return Err(SvhnError::Twice("y")),
            "X" => {
                read_images(&array.dimensions, values, &mut split.pixels)?;
                has_images = true;
            }
            "y" => {
                read_labels(&array.dimensions, values, &mut split.labels)?;
                has_labels = true;
            }
            _ => return Ok(Visit::Skipped),
        }
        Ok(Visit::Read)
    })?;
    match (has_images, has_labels) {
        (true, true) => Ok(()),
        (false, _) => Err(SvhnError::Absent("X")),
        (true, false) => Err(SvhnError::Absent("y")),
    }
}

/// Values `[32, 32, 3, n]` column by column: row varies fastest, then column, colour, image.
fn read_images(dimensions: &[u32], mut values: &mut dyn Read, pixels: &mut Vec<u8>) -> Result<(), SvhnError> {
    let [32, 32, 3, count @ 1..=MAX_COUNT] = *dimensions else {
        let expected = "32×32×3×N with N in 1..=1000000";
        return Err(SvhnError::Size { name: "X", dimensions: dimensions.to_vec(), expected });
    };
    let mut image = [0; COLOURS * PIXELS];
    matlab::expect_bytes(&mut values, "X", u64::from(count) * image.len() as u64)?;
    for _ in 0..count {
        values.read_exact(&mut image).map_err(MatlabError::from)?;
        for columns in image.chunks_exact(PIXELS) {
            let pixel = |at: usize| columns[at % WIDTH * WIDTH + at / WIDTH];
            pixels.extend((0..PIXELS).map(pixel)); // grows with what is really there, whatever the header says
        }
    }
    Ok(())
}

fn read_labels(dimensions: &[u32], values: &mut dyn Read, labels: &mut Vec<u16>) -> Result<(), SvhnError> {
    let numbers = matlab::read_numbers(values, MAX_COUNT as usize)?;
    let count = numbers.len() as u32;
    if dimensions != [count, 1] && dimensions != [1, count] {
        let expected = "as many labels as it holds";
        return Err(SvhnError::Size { name: "y", dimensions: dimensions.to_vec(), expected });
    }
    for (index, label) in numbers.into_iter().enumerate() {
        if label.fract() != 0.0 || !(1.0..=f64::from(CLASSES)).contains(&label) {
            return Err(SvhnError::Label { index, label });
        }
        labels.push(label as u16 - 1);
    }
    Ok(())
}
