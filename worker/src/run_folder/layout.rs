//! The names of what is in a run's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(super) const ABOUT: &str = "run.json";
pub(super) const RECORD: &str = "resume.json";
pub(super) const PICTURES: &str = "pictures";
pub(super) const LOGS: &str = "logs";
const ATTEMPT: &str = "attempt-";

/// The folder of one attempt.
pub(super) fn attempt(root: &Path, number: u32) -> PathBuf {
    root.join(format!("{ATTEMPT}{number}"))
}

/// The folder of an attempt of that number which a database has forgotten that was put back in time: another attempt has the
/// number now.
pub(super) fn forgotten_attempt(root: &Path, number: u32, token: u64) -> PathBuf {
    root.join(format!("{ATTEMPT}{number}-{token:x}"))
}

/// Which attempt wrote `file`, which is relative to the run's folder.
pub(super) fn attempt_of(file: &Path) -> Option<u32> {
    let folder = file.components().next()?.as_os_str().to_str()?.strip_prefix(ATTEMPT)?;
    folder.split('-').next()?.parse().ok()
}

/// The folders of all attempts.
pub(super) fn attempts(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut attempts = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() && name != PICTURES && name != LOGS {
            attempts.push(entry.path());
        }
    }
    Ok(attempts)
}
