//! IDX, the file format of MNIST: a magic number, the dimensions, the bytes, all big-endian.
//!
//! Format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits". Only what
//! MNIST and its look-alikes use is read: unsigned bytes, 28×28 images and one label an image.

use std::io::{self, Read};

/// Width and height of an image in a file, in pixels.
pub(crate) const IMAGE_WIDTH: usize = 28;
/// Labels are `0..CLASSES`.
pub(crate) const CLASSES: u8 = 10;
/// More images than this are refused: MNIST has 60,000, and 100,000 take 410 MB once they are
/// 32×32 floats. It bounds what a damaged or malicious file can make us allocate.
pub(crate) const MAX_COUNT: usize = 100_000;

/// First four bytes of a file of images: zero, zero, "unsigned byte", three dimensions.
const IMAGES_MAGIC: u32 = 0x0000_0803;
/// First four bytes of a file of labels: zero, zero, "unsigned byte", one dimension.
const LABELS_MAGIC: u32 = 0x0000_0801;

/// Why some bytes are not the expected IDX file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdxError {
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// Not IDX, or another kind of IDX file.
    #[error("it starts with `{found:#010x}` where IDX {what} start with `{expected:#010x}`")]
    Magic {
        /// Images or labels.
        what: &'static str,
        /// The magic number of those.
        expected: u32,
        /// The file's first four bytes.
        found: u32,
    },
    /// The images have another size.
    #[error("its images are {rows}×{columns}, not 28×28")]
    ImageSize {
        /// Height in the header.
        rows: u32,
        /// Width in the header.
        columns: u32,
    },
    /// No images, or more than [`MAX_COUNT`].
    #[error("its header says {0} items, outside 1..={MAX_COUNT}")]
    Count(u32),
    /// The bytes end early.
    #[error("it is truncated")]
    Truncated,
    /// There are bytes after the last item.
    #[error("it goes on after the {0} items that its header says")]
    Oversized(usize),
    /// A label that is no class.
    #[error("label {index} is {label}, outside 0..=9")]
    Label {
        /// Which label, from 0.
        index: usize,
        /// Its value.
        label: u8,
    },
}

/// Reads a whole file of images: `[n, 28, 28]` pixels, 0..=255, row by row.
///
/// # Errors
/// [`IdxError`] when the bytes are anything else, with memory used bounded by [`MAX_COUNT`].
pub(crate) fn read_images(mut file: impl Read) -> Result<Vec<u8>, IdxError> {
    read_magic(&mut file, "images", IMAGES_MAGIC)?;
    let count = read_count(&mut file)?;
    let (rows, columns) = (read_u32(&mut file)?, read_u32(&mut file)?);
    if (rows, columns) != (IMAGE_WIDTH as u32, IMAGE_WIDTH as u32) {
        return Err(IdxError::ImageSize { rows, columns });
    }
    read_items(file, count, IMAGE_WIDTH * IMAGE_WIDTH)
}

/// Reads a whole file of labels: `[n]`, each below [`CLASSES`].
///
/// # Errors
/// [`IdxError`] when the bytes are anything else, with memory used bounded by [`MAX_COUNT`].
pub(crate) fn read_labels(mut file: impl Read) -> Result<Vec<u8>, IdxError> {
    read_magic(&mut file, "labels", LABELS_MAGIC)?;
    let count = read_count(&mut file)?;
    let labels = read_items(file, count, 1)?;
    match labels.iter().position(|&label| label >= CLASSES) {
        Some(index) => Err(IdxError::Label { index, label: labels[index] }),
        None => Ok(labels),
    }
}

fn read_magic(file: &mut impl Read, what: &'static str, expected: u32) -> Result<(), IdxError> {
    let found = read_u32(file)?;
    if found == expected { Ok(()) } else { Err(IdxError::Magic { what, expected, found }) }
}

fn read_count(file: &mut impl Read) -> Result<usize, IdxError> {
    let count = read_u32(file)?;
    match count as usize {
        items @ 1..=MAX_COUNT => Ok(items),
        _ => Err(IdxError::Count(count)),
    }
}

fn read_u32(file: &mut impl Read) -> Result<u32, IdxError> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes).map_err(truncated)?;
    Ok(u32::from_be_bytes(bytes))
}

/// Reads `count` items of `item_len` bytes and makes sure that nothing follows.
fn read_items(file: impl Read, count: usize, item_len: usize) -> Result<Vec<u8>, IdxError> {
    let expected = count * item_len;
    let mut bytes = Vec::new(); // grows with what is really there, whatever the header says
    file.take(expected as u64 + 1).read_to_end(&mut bytes).map_err(truncated)?;
    match bytes.len() {
        len if len < expected => Err(IdxError::Truncated),
        len if len > expected => Err(IdxError::Oversized(count)),
        _ => Ok(bytes),
    }
}

/// The end of a file, or of a gzip stream, where bytes should be is a truncation.
fn truncated(error: io::Error) -> IdxError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => IdxError::Truncated,
        _ => IdxError::Read(error),
    }
}
