//! Files that are replaced in one step: after a crash or on a full disk they hold either the old bytes or the new ones.

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
    File::open(path.parent().unwrap_or(path))?.sync_all()
}
