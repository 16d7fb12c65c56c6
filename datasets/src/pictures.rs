//! Pictures, PNG and JPEG, cut and scaled to 32×32 colours.

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader};

use crate::{DataError, PIXELS, WIDTH};

/// Colours of a picture.
pub(crate) const COLOURS: usize = 3;
/// A picture at 32×32, `[3, 32, 32]`: red, green, blue.
pub(crate) type Small = [u8; COLOURS * PIXELS];

/// Longer files than this are refused, in bytes.
const MAX_FILE: u64 = 1 << 27;
/// Pictures that take more bytes than this when decoded are refused: 89 million pixels of three colours.
const MAX_DECODED: u64 = 1 << 28;
/// Pictures that a thread reads before they are handed on.
const CHUNK: usize = 256;

/// What of a picture becomes 32×32 pixels, given all of it. The error is a reason.
pub(crate) type Cut = fn(&DynamicImage) -> Result<DynamicImage, String>;

/// Whether a file is a picture by its name. Hidden files are not.
pub(crate) fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    !is_hidden(path) && ["png", "jpg", "jpeg"].iter().any(|known| extension == *known)
}

/// Whether a file or folder has a name that starts with a dot.
pub(crate) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Paths in a folder that are `wanted`, sorted by name.
pub(crate) fn list(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, DataError> {
    let cant_read = |source| DataError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(cant_read)? {
        let path = entry.map_err(cant_read)?.path();
        if wanted(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads pictures on all cores and hands them to `each` in order.
pub(crate) fn read_all(paths: &[PathBuf], cut: Cut, mut each: impl FnMut(&Small)) -> Result<(), DataError> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let read_some = |paths: &[PathBuf]| paths.iter().map(|path| read(path, cut)).collect();
    for together in paths.chunks(CHUNK * threads) {
        let parts: Vec<Result<Vec<Small>, DataError>> = thread::scope(|scope| {
            let parts = together.chunks(CHUNK).map(|part| scope.spawn(move || read_some(part)));
            let running: Vec<_> = parts.collect();
            running.into_iter().map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        for part in parts {
            part?.iter().for_each(&mut each);
        }
    }
    Ok(())
}

fn read(path: &Path, cut: Cut) -> Result<Small, DataError> {
    let cant_read = |source| DataError::Read { path: path.to_owned(), source };
    let unusable = |reason| DataError::Picture { path: path.to_owned(), reason };
    let mut bytes = Vec::new();
    File::open(path).map_err(cant_read)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(cant_read)?;
    let picture = decode(&bytes).and_then(|picture| cut(&picture)).map_err(unusable)?;
    // Bicubic with a = -1/2, wider where it shrinks: what Pillow and SciPy call bicubic.
    let width = WIDTH as u32;
    let small = picture.resize_exact(width, width, FilterType::CatmullRom).into_rgb8();
    let mut colours = [0; COLOURS * PIXELS];
    for (at, pixel) in small.pixels().enumerate() {
        for (colour, value) in pixel.0.into_iter().enumerate() {
            colours[colour * PIXELS + at] = value;
        }
    }
    Ok(colours)
}

/// A whole picture, upright. Transparency is ignored.
fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("it has more than {} MB", MAX_FILE >> 20));
    }
    if is_cut_short(bytes) {
        return Err("it is truncated".to_owned());
    }
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
    let mut decoder = reader.into_decoder().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > MAX_DECODED {
        return Err(format!("it has {width}×{height} pixels, too many"));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Whether a JPEG's last scan has no end-of-image marker, or a PNG no end chunk. Decoders fill what is missing with
/// grey, or don't look at it, and say nothing.
fn is_cut_short(bytes: &[u8]) -> bool {
    let last = |marker: &[u8]| bytes.windows(marker.len()).rposition(|bytes| bytes == marker);
    match bytes {
        [0xff, 0xd8, ..] => last(b"\xff\xd9") < last(b"\xff\xda"),
        [0x89, b'P', b'N', b'G', ..] => last(b"IEND\xae\x42\x60\x82").is_none(),
        _ => false,
    }
}
