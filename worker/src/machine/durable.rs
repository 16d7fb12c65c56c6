//! Files that outlive a power cut; those that are replaced in one step hold either the old bytes or the new ones after a crash, or on a
//! full disk.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Makes `bytes` the content of the file `path`, durably.
///
/// # Errors
/// The disk's errors; the file is what it was.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_added_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    flush_name(path)
}

/// Brings the file `path`, which somebody else has written, to the disk, and its name.
///
/// # Errors
/// The disk's errors; what is on the disk is not known then.
pub(crate) fn flush(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    flush_name(path)
}

fn flush_name(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(path))?.sync_all()
}
