//! cifar10: six files of 32×32 colour images, in the binary, the Python or the MATLAB version.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use acai_sweep::training::Dataset;

use crate::matlab::{self, MatlabError, Visit};
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

/// And those of the MATLAB version.
const MATLAB: [&str; 6] = [
    "cifar10/cifar-10-batches-mat/data_batch_1.mat",
    "cifar10/cifar-10-batches-mat/data_batch_2.mat",
    "cifar10/cifar-10-batches-mat/data_batch_3.mat",
    "cifar10/cifar-10-batches-mat/data_batch_4.mat",
    "cifar10/cifar-10-batches-mat/data_batch_5.mat",
    "cifar10/cifar-10-batches-mat/test_batch.mat",
];

/// Adds a file's images and labels.
type Reader = fn(&mut dyn Read, &mut Split) -> Result<(), CifarError>;

/// Why a file is none of CIFAR-10's.
#[derive(Debug, thiserror::Error)]
enum CifarError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error(transparent)]
    Pickle(#[from] PickleError),
    #[error(transparent)]
    Matlab(#[from] MatlabError),
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
    version(folder).0
}

/// Those files, and what reads one.
fn version(folder: &Path) -> (&'static [&'static str], Reader) {
    let mut versions: [(_, Reader); 3] =
        [(Dataset::Cifar10.files(), read_binary), (&PYTHON, read_python), (&MATLAB, read_matlab)];
    versions.sort_by_cached_key(|(files, _)| files::missing(files, folder).len()); // equal ones stay in order
    versions[0]
}

/// Reads the six files below `folder`.
pub(crate) fn open(dataset: &Dataset, folder: &Path) -> Result<Images, DataError> {
    let (version, reader) = version(folder);
    let found: Vec<PathBuf> = files::find_all(dataset, version, folder)?;
    let [train_files @ .., test_file] = &found[..] else { unreachable!("CIFAR-10 has six files") };
    let (mut train, mut test) = (Split::default(), Split::default());
    for file in train_files {
        read_file(file, reader, &mut train)?;
    }
    read_file(test_file, reader, &mut test)?;
    Ok(Images { colours: COLOURS, classes: CLASSES.into(), train, test })
}

fn read_file(path: &Path, reader: Reader, split: &mut Split) -> Result<(), DataError> {
    let (pixels, labels) = (split.pixels.len(), split.labels.len());
    files::read(path, |file| reader(file, split))?;
    let (images, labels) = ((split.pixels.len() - pixels) / IMAGE, split.labels.len() - labels);
    if images == labels { Ok(()) } else { Err(DataError::Unpaired { path: path.to_owned(), images, labels }) }
}

/// The binary version: images of a label and 3072 bytes, red, green and blue row by row.
fn read_binary(file: &mut dyn Read, split: &mut Split) -> Result<(), CifarError> {
    let bytes = read_at_most(file, MAX_COUNT * (1 + IMAGE))?;
    let (images, []) = bytes.as_chunks::<{ 1 + IMAGE }>() else {
        return Err(CifarError::Truncated(bytes.len()));
    };
    check_count(images.len())?;
    for (index, [label, pixels @ ..]) in images.iter().enumerate() {
        split.push(pixels, class(index, i64::from(*label))?);
    }
    Ok(())
}

/// The Python version: a dict with `data`, `[n, 3072]` bytes as in the binary version, and `labels`.
fn read_python(file: &mut dyn Read, split: &mut Split) -> Result<(), CifarError> {
    // Its list of file names is shorter than the images.
    let bytes = read_at_most(file, 2 * MAX_COUNT * IMAGE)?;
    let Value::Dict(entries) = pickle::read(&bytes)? else { return Err(CifarError::Entry("data")) };
    let entry = |name: &str| entries.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value);
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
    Ok(())
}

/// The MATLAB version: arrays of the same.
fn read_matlab(file: &mut dyn Read, split: &mut Split) -> Result<(), CifarError> {
    let (mut data, mut labels) = (None, None);
    matlab::visit_arrays(file, |array, values| {
        match array.name.as_str() {
            "data" => data = Some(read_data(&array.dimensions, values)?),
            "labels" => labels = Some(matlab::read_numbers(values, MAX_COUNT)?),
            _ => return Ok(Visit::Skipped),
        }
        Ok::<_, CifarError>(Visit::Read)
    })?;
    split.pixels.extend(data.ok_or(CifarError::Entry("data"))?);
    for (index, label) in labels.ok_or(CifarError::Entry("labels"))?.into_iter().enumerate() {
        if label.fract() != 0.0 {
            return Err(CifarError::Entry("labels"));
        }
        split.labels.push(class(index, label as i64)?);
    }
    Ok(())
}

/// Values `[n, 3072]` column by column: image varies fastest.
fn read_data(dimensions: &[u32], values: &mut dyn Read) -> Result<Vec<u8>, CifarError> {
    let (count, columns) = match *dimensions {
        [count, columns] => (count as usize, columns as usize),
        _ => return Err(CifarError::Entry("data")),
    };
    check_count(count)?;
    if columns != IMAGE {
        return Err(CifarError::Size { rows: count, columns, bytes: count * columns });
    }
    matlab::expect_bytes(values, "data", (count * IMAGE) as u64)?;
    let mut columns = Vec::new(); // grows with what is really there
    values.take((count * IMAGE) as u64).read_to_end(&mut columns)?;
    if columns.len() < count * IMAGE {
        return Err(MatlabError::Truncated.into());
    }
    Ok((0..count * IMAGE).map(|at| columns[at % IMAGE * count + at / IMAGE]).collect())
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
