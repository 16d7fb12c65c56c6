//! Pictures, PNG and JPEG, read and made into 32×32 colours.

use std::array;
use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader};

use crate::{DataError, PIXELS, WIDTH, jpeg};

/// Colours of a picture.
pub(crate) const COLOURS: usize = 3;
/// A picture at 32×32, `[3, 32, 32]`: red, green, blue.
pub(crate) type Small = [u8; COLOURS * PIXELS];

/// Longer files than this are refused, in bytes.
const MAX_FILE: u64 = 1 << 27;
/// Pictures that take more bytes than this when decoded are refused: 89 million pixels of three colours.
const MAX_DECODED: u64 = 1 << 28;
/// Pictures that take more bytes than this when decoded are in memory one at a time, however many cores there are.
const LARGE: u64 = 1 << 25;
/// Held while a large picture is in memory.
static TURN: Mutex<()> = Mutex::new(());
/// Pictures that a thread reads before they are handed on.
const CHUNK: usize = 256;

/// Makes 32×32 pixels of a picture. The error is a reason.
pub(crate) type Shrink = fn(&DynamicImage) -> Result<Small, String>;

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

/// Whether there is a picture in a folder. Looks no further than the first.
pub(crate) fn has_picture(folder: &Path) -> bool {
    let is_one = |path: PathBuf| is_picture(&path) && path.is_file();
    fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| is_one(entry.path()))))
}

/// Reads pictures on all cores and hands them to `each` in order.
pub(crate) fn read_all(
    paths: &[PathBuf],
    shrink: Shrink,
    mut each: impl FnMut(&Small),
) -> Result<(), DataError> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let read_some = |paths: &[PathBuf]| paths.iter().map(|path| read(path, shrink)).collect();
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

/// Reads one picture.
pub(crate) fn read(path: &Path, shrink: Shrink) -> Result<Small, DataError> {
    let cant_read = |source| DataError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(cant_read)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(cant_read)?;
    decode_and(shrink, &bytes).map_err(|reason| DataError::Picture { path: path.to_owned(), reason })
}

/// Decodes a whole picture, turns it upright and shrinks it. Transparency is ignored.
fn decode_and(shrink: Shrink, bytes: &[u8]) -> Result<Small, String> {
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
    let _turn = turn(decoder.total_bytes());
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
    picture.apply_orientation(orientation);
    shrink(&picture)
}

/// Waits until a picture of so many bytes may be decoded.
fn turn(bytes: u64) -> Option<MutexGuard<'static, ()>> {
    (bytes > LARGE).then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether a JPEG has no end-of-image marker, or a PNG no end chunk. Decoders fill what is missing with grey, or don't
/// look at it, and say nothing.
fn is_cut_short(bytes: &[u8]) -> bool {
    let has = |marker: &[u8]| bytes.windows(marker.len()).any(|bytes| bytes == marker);
    match bytes {
        [0xff, 0xd8, ..] => !jpeg::has_end(bytes),
        [0x89, b'P', b'N', b'G', ..] => !has(b"IEND\xae\x42\x60\x82"),
        _ => false,
    }
}

/// Scales a picture to 32×32, its shape lost: bicubic with a = -1/2, wider where it shrinks, which is what Pillow and
/// SciPy call bicubic.
pub(crate) fn scale(picture: &DynamicImage) -> Small {
    let width = WIDTH as u32;
    let small = picture.resize_exact(width, width, FilterType::CatmullRom).into_rgb8();
    planes(|at, colour| small.as_raw()[at * COLOURS + colour])
}

/// All red, then all green, then all blue of a picture, given pixel `at` (row by row) of each.
pub(crate) fn planes(value: impl Fn(usize, usize) -> u8) -> Small {
    array::from_fn(|at| value(at % PIXELS, at / PIXELS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pictures_are_in_memory_one_at_a_time() {
        assert!(turn(LARGE).is_none());
        let turn = turn(LARGE + 1);
        assert!(turn.is_some() && TURN.try_lock().is_err());
    }
}
