//! Room on disks.

use std::io;
use std::path::Path;

use rustix::fs::statvfs;

/// How many bytes this user may still write where the folder is.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
