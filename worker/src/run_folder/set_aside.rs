//! Files that are not used any more, and are kept for people to look at.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::layout::{RECORD, attempts};

/// What is appended to the name of such a file.
const REFUSED: &str = "refused";

pub(super) fn is_set_aside(file: &Path) -> bool {
    file.extension() == Some(OsStr::new(REFUSED))
}

pub(super) fn set_aside(file: &Path) -> io::Result<()> {
    fs::rename(file, file.with_added_extension(REFUSED))
}

/// Sets everything aside in the folder `root` of a run whose record is damaged: which of the files were committed is
/// not known any more, and training may go on only from one that was. The record goes last, so that this can be
/// repeated.
pub(super) fn set_all_aside(root: &Path) -> io::Result<()> {
    for attempt in attempts(root)? {
        for file in fs::read_dir(&attempt)? {
            let file = file?;
            if file.file_type()?.is_file() && !is_set_aside(&file.path()) {
                set_aside(&file.path())?;
            }
        }
    }
    set_aside(&root.join(RECORD))
}
