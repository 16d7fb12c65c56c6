//! MATLAB's files, version 5 to 7 (`.mat`): as much as SVHN and CIFAR-10 use, which is arrays of numbers, compressed or not.
//!
//! Format: The MathWorks, "MAT-File Format". After a header of 128 bytes come elements, each with a tag that gives its
//! kind and length; an array is an element of elements, and a compressed one is an array in a zlib stream.

use std::io::{self, Read};

use flate2::read::ZlibDecoder;

const HEADER: usize = 128;
/// Kinds of elements.
const INT8: u32 = 1;
const UINT8: u32 = 2;
const INT16: u32 = 3;
const UINT16: u32 = 4;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const DOUBLE: u32 = 9;
const ARRAY: u32 = 14;
const COMPRESSED: u32 = 15;

/// Longest name of a variable in MATLAB.
const MAX_NAME: u32 = 63;
/// More dimensions than anyone uses.
const MAX_DIMENSIONS: u32 = 16;

/// Why some bytes are not a MATLAB file that can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MatlabError {
    /// Reading or decompressing failed.
    #[error(transparent)]
    Read(io::Error),
    /// The bytes end early.
    #[error("it is truncated")]
    Truncated,
    /// The header is none.
    #[error("it is not a MATLAB file of version 5 to 7 (its header has no `IM` at byte 126)")]
    Header,
    /// MATLAB 7.3, which is HDF5.
    #[error("it is a MATLAB file of version {0:#06x}; versions 5 to 7 (0x0100) can be read")]
    Version(u16),
    /// An element is of another kind, or of another length, than belongs there.
    #[error("{what} is missing: there is an element of kind {kind} and {len} bytes")]
    Element {
        /// What belongs there.
        what: &'static str,
        /// What kind of element is there.
        kind: u32,
        /// Its length.
        len: u32,
    },
    /// An array's values are not as many bytes as its size says.
    #[error(
        "array `{name}` has values of kind {kind} and {len} bytes, not of kind {UINT8} and {expected} bytes"
    )]
    NotBytes {
        /// The array's name.
        name: &'static str,
        /// What kind of values is there.
        kind: u32,
        /// Their length.
        len: u32,
        /// The length that belongs there.
        expected: u64,
    },
    /// Bytes after the last value of an array.
    #[error("array `{0}` goes on after its last value")]
    Oversized(String),
}

impl From<io::Error> for MatlabError {
    /// The end of a file, or of a zlib stream, where bytes should be is a truncation.
    fn from(error: io::Error) -> MatlabError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => MatlabError::Truncated,
            _ => MatlabError::Read(error),
        }
    }
}

/// A variable, up to its values.
#[derive(Debug)]
pub(crate) struct Array {
    pub(crate) name: String,
    pub(crate) dimensions: Vec<u32>,
}

/// An element's tag: its kind, its length, and the bytes after it that make it whole words.
#[derive(Debug, Clone, Copy)]
struct Tag {
    kind: u32,
    len: u32,
    padding: usize,
}

/// Whether a visitor of arrays has read all values of one.
pub(crate) enum Visit {
    Read,
    Skipped,
}

/// Calls `visit` with each array and its values: one element, that a visitor reads wholly or leaves.
pub(crate) fn visit_arrays<E: From<MatlabError>>(
    mut file: impl Read,
    mut visit: impl FnMut(&Array, &mut dyn Read) -> Result<Visit, E>,
) -> Result<(), E> {
    read_header(&mut file)?;
    while let Some(tag) = read_next_tag(&mut file)? {
        let mut element = (&mut file).take(tag.len.into());
        match tag.kind {
            ARRAY => visit_array(&mut element, &mut visit)?,
            COMPRESSED => {
                let mut array = ZlibDecoder::new(&mut element);
                let tag = read_tag(&mut array)?;
                expect(tag, "an array", tag.kind == ARRAY)?;
                visit_array(&mut array, &mut visit)?;
            }
            _ => expect(tag, "an array", false)?,
        }
        io::copy(&mut element, &mut io::sink()).map_err(MatlabError::from)?;
        if element.limit() > 0 {
            return Err(MatlabError::Truncated.into());
        }
    }
    Ok(())
}

fn read_header(file: &mut impl Read) -> Result<(), MatlabError> {
    let mut header = [0; HEADER];
    file.read_exact(&mut header)?;
    match header {
        [.., 0x00, 0x01, b'I', b'M'] => Ok(()),
        [.., low, high, b'I', b'M'] => Err(MatlabError::Version(u16::from_le_bytes([low, high]))),
        _ => Err(MatlabError::Header),
    }
}

/// Reads what stands before an array's values, and calls `visit`.
fn visit_array<E: From<MatlabError>>(
    mut file: &mut dyn Read,
    visit: &mut impl FnMut(&Array, &mut dyn Read) -> Result<Visit, E>,
) -> Result<(), E> {
    let flags = read_tag(&mut file)?;
    expect(flags, "the flags of an array", (flags.kind, flags.len) == (UINT32, 8))?;
    read_bytes(&mut file, flags)?;
    let tag = read_tag(&mut file)?;
    expect(tag, "the size of an array", tag.kind == INT32 && tag.len <= 4 * MAX_DIMENSIONS)?;
    let dimensions =
        read_bytes(&mut file, tag)?.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect();
    let tag = read_tag(&mut file)?;
    expect(tag, "the name of an array", tag.kind == INT8 && tag.len <= MAX_NAME)?;
    let name = read_bytes(&mut file, tag)?.escape_ascii().to_string();
    let array = Array { name, dimensions };
    if let Visit::Read = visit(&array, file)? {
        // At most padding may follow. To see the end of a zlib stream is also what checks its sum.
        let mut rest = Vec::new();
        file.take(8).read_to_end(&mut rest).map_err(MatlabError::from)?;
        if rest.len() == 8 {
            return Err(MatlabError::Oversized(array.name).into());
        }
    }
    Ok(())
}

/// An element's tag, or `None` at the end of the file.
fn read_next_tag(file: &mut impl Read) -> Result<Option<Tag>, MatlabError> {
    let mut first = Vec::new();
    match file.take(1).read_to_end(&mut first)? {
        0 => Ok(None),
        _ => read_tag(&mut first.as_slice().chain(file)).map(Some),
    }
}

/// The next element's tag.
fn read_tag(file: &mut impl Read) -> Result<Tag, MatlabError> {
    let kind = read_u32(file)?;
    // A small element: its length is in the upper half of the first word, its bytes are in the second.
    let small = kind >> 16;
    if small > 0 {
        let tag = Tag { kind: kind & 0xffff, len: small, padding: 4usize.saturating_sub(small as usize) };
        expect(tag, "a small element of at most 4 bytes", small <= 4)?;
        return Ok(tag);
    }
    let len = read_u32(file)?;
    Ok(Tag { kind, len, padding: (len.wrapping_neg() % 8) as usize })
}

/// All bytes of a short element.
fn read_bytes(file: &mut impl Read, tag: Tag) -> Result<Vec<u8>, MatlabError> {
    let mut bytes = vec![0; tag.len as usize + tag.padding];
    file.read_exact(&mut bytes)?;
    bytes.truncate(tag.len as usize);
    Ok(bytes)
}

fn read_u32(file: &mut impl Read) -> Result<u32, MatlabError> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn expect(Tag { kind, len, .. }: Tag, what: &'static str, is_there: bool) -> Result<(), MatlabError> {
    if is_there { Ok(()) } else { Err(MatlabError::Element { what, kind, len }) }
}

/// Reads up to the values of an array `name` that must be `expected` bytes, 0..=255 each; these are next.
pub(crate) fn expect_bytes(
    mut file: &mut dyn Read,
    name: &'static str,
    expected: u64,
) -> Result<(), MatlabError> {
    let Tag { kind, len, .. } = read_tag(&mut file)?;
    if kind == UINT8 && u64::from(len) == expected {
        Ok(())
    } else {
        Err(MatlabError::NotBytes { name, kind, len, expected })
    }
}

/// Reads an element of numbers, of whichever kind MATLAB stored them as, at most `max` of them.
pub(crate) fn read_numbers(mut file: &mut dyn Read, max: usize) -> Result<Vec<f64>, MatlabError> {
    let tag = read_tag(&mut file)?;
    // An unsigned number is its bytes with zeros behind; a signed one is its lowest bytes.
    let (width, number): (usize, fn([u8; 8]) -> f64) = match tag.kind {
        INT8 => (1, |bytes| f64::from(bytes[0] as i8)),
        INT16 => (2, |bytes| f64::from(i64::from_le_bytes(bytes) as i16)),
        INT32 => (4, |bytes| f64::from(i64::from_le_bytes(bytes) as i32)),
        UINT8 | UINT16 | UINT32 => (1 << (tag.kind / 2 - 1), |bytes| u64::from_le_bytes(bytes) as f64),
        DOUBLE => (8, f64::from_le_bytes),
        _ => {
            return Err(MatlabError::Element { what: "an element of numbers", kind: tag.kind, len: tag.len });
        }
    };
    let count = tag.len as usize / width;
    expect(tag, "an element of so many numbers", count <= max)?;
    let mut numbers = Vec::new(); // grows with what is really there
    for _ in 0..count {
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes[..width])?;
        numbers.push(number(bytes));
    }
    Ok(numbers)
}
