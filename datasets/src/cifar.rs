//! cifar10: six files of 32×32 colour images, in the binary or in the Python version.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use acai_sweep::training::Dataset;

use crate::pickle::{self, PickleError, Value};
use crate::{DataError, Images, PIXELS, Split, files};

const CLASSES: u8 = 10;
const COLOURS: usize = 3;
const IMAGE: usize = COLOURS * PIXELS;
/// More images in a file than this are refused: each has 10,000. It bounds what a damaged or malicious file can make
/// us allocate.
const MAX_COUNT: usize = 100_000;

/// Files of the Python version, relative to the data folder, in [`Dataset::files`]'s order.
const PYTHON: [&str; 6] = [
    "cifar10/cifar-10-batches-py/data_batch_1",
    "cifar10/cifar-10-batches-py/data_batch_2",
    "cifar10/cifar-10-batches-py/data_batch_3",
    "cifar10/cifar-10-batches-py/data_batch_4",
    "cifar10/cifar-10-batches-py/data_batch_5",
    "cifar10/cifar-10-batches-py/test_batch",
];

/// Why a file is none of CIFAR-10's.
#[derive(Debug, thiserror::Error)]
enum CifarError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error(transparent)]
    Pickle(#[from] PickleError),
    #[error("it is truncated: its {0} bytes are not a whole number of images of 3073 bytes")]
    Truncated(usize),
    #[error("it holds {0} images, outside 1..={MAX_COUNT}")]
    Count(usize),
    #[error("it goes on after {MAX_COUNT} images")]
    Oversized,
    #[error("it has no `{0}` of the expected kind")]
    Entry(&'static str),
    #[error("its `data` is {rows}×{columns} with {bytes} bytes, not N×3072")]
    Size { rows: usize, columns: usize, bytes: usize },
    #[error("label {index} is {label}, outside 0..=9")]
    Label { index: usize, label: i64 },
}

/// The files of the version that is there, relative to the data folder; of the binary one where there is none.
pub(crate) fn files(folder: &Path) -> &'static [&'static str] {
    let missing = |files: &&[&str]| files::missing(files, folder).len();
    let versions: [&'static [&'static str]; 2] = [Dataset::Cifar10.files(), &PYTHON];
    versions.into_iter().min_by_key(missing).unwrap_or(&PYTHON)
}

/// Reads the six files below `folder`.
pub(crate) fn open(dataset: &Dataset, folder: &Path) -> Result<Images, DataError> {
    let version = files(folder);
    let read_file = if version == PYTHON { read_python } else { read_binary };
    let found: Vec<PathBuf> = files::find_all(dataset, version, folder)?;
    let [train_files @ .., test_file] = &found[..] else { unreachable!("CIFAR-10 has six files") };
    let (mut train, mut test) = (Split::default(), Split::default());
    for file in train_files {
        read_file(file, &mut train)?;
    }
    read_file(test_file, &mut test)?;
    Ok(Images { colours: COLOURS, classes: CLASSES.into(), train, test })
}

/// Adds a file of the binary version: images of a label and 3072 bytes, red, green and blue row by row.
fn read_binary(path: &Path, split: &mut Split) -> Result<(), DataError> {
    files::read(path, |file| {
        let bytes = read_at_most(file, MAX_COUNT * (1 + IMAGE))?;
        let (images, []) = bytes.as_chunks::<{ 1 + IMAGE }>() else {
            return Err(CifarError::Truncated(bytes.len()));
        };
        check_count(images.len())?;
        for (index, [label, pixels @ ..]) in images.iter().enumerate() {
            split.push(pixels, class(index, i64::from(*label))?);
        }
        Ok(())
    })
}

/// Adds a file of the Python version: a dict with `data`, `[n, 3072]` bytes as in the binary version, and `labels`.
fn read_python(path: &Path, split: &mut Split) -> Result<(), DataError> {
    let (images, labels) = files::read(path, |file| {
        // Its list of file names is shorter than the images.
        let bytes = read_at_most(file, 2 * MAX_COUNT * IMAGE)?;
        let Value::Dict(entries) = pickle::read(&bytes)? else { return Err(CifarError::Entry("data")) };
        let entry =
            |name: &str| entries.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value);
        let Some(Value::Array(Some(data))) = entry("data") else { return Err(CifarError::Entry("data")) };
        let Some(Value::List(labels)) = entry("labels") else { return Err(CifarError::Entry("labels")) };
        check_count(data.rows)?;
        if data.columns != IMAGE || data.bytes.len() != data.rows * IMAGE {
            let (rows, columns, bytes) = (data.rows, data.columns, data.bytes.len());
            return Err(CifarError::Size { rows, columns, bytes });
        }
        for (index, label) in labels.iter().enumerate() {
            let Value::Number(label) = *label else { return Err(CifarError::Entry("labels")) };
            split.labels.push(class(index, label)?);
        }
        split.pixels.extend_from_slice(data.bytes);
        Ok((data.rows, labels.len()))
    })?;
    if images == labels { Ok(()) } else { Err(DataError::Unpaired { path: path.to_owned(), images, labels }) }
}

fn check_count(count: usize) -> Result<(), CifarError> {
    if (1..=MAX_COUNT).contains(&count) { Ok(()) } else { Err(CifarError::Count(count)) }
}

fn class(index: usize, label: i64) -> Result<u16, CifarError> {
    match u8::try_from(label) {
        Ok(class @ 0..CLASSES) => Ok(class.into()),
        _ => Err(CifarError::Label { index, label }),
    }
}

/// All of a file, which may have at most `max` bytes.
fn read_at_most(file: &mut dyn Read, max: usize) -> Result<Vec<u8>, CifarError> {
    let mut bytes = Vec::new(); // grows with what is really there
    file.take(max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > max { Err(CifarError::Oversized) } else { Ok(bytes) }
}
