//! What people do with agents' state folders: they copy them, and put copies back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::system::disk;

fn state(host: &str) -> PathBuf {
    Path::new(host).join("state")
}

/// Where the copy of a host's folder lies until it is put back. No part of the path is a host's name: the files are none of its
/// disk's.
fn backup(host: &str) -> PathBuf {
    PathBuf::from(format!("backup-of-{host}"))
}

/// Gives one agent a copy of the folder of another one, which goes on, in the place of its own folder. Both agents' processes may be
/// anywhere in their work. Answers whether the folder had been used, so that the copy can be told from it.
pub(crate) fn give_copy(from: &'static str, to: &'static str) -> bool {
    let given =
        remove(&state(to)).and_then(|()| remove(&backup(to))).and_then(|()| copy(&state(from), &state(to)));
    disk::forget(to);
    tracing::info!(target: "simulation", "{to} is given a copy of the state folder of {from} ({given:?})");
    state(to).join("origin").is_file()
}

/// Copies a host's folder, to be put back later.
pub(crate) fn back_up(host: &'static str) {
    let copied = remove(&backup(host)).and_then(|()| copy(&state(host), &backup(host)));
    tracing::info!(target: "simulation", "the state folder of {host} is copied ({copied:?})");
}

/// Puts the copied files in the place of those of a host's folder. Its process does not run. The folder itself stays the same.
pub(crate) fn restore(host: &'static str) {
    if !backup(host).is_dir() {
        return;
    }
    let emptied =
        fs::read_dir(state(host)).and_then(|mut files| files.try_for_each(|file| remove(&file?.path())));
    let restored = emptied.and_then(|()| copy(&backup(host), &state(host)));
    disk::forget(host);
    tracing::info!(target: "simulation", "the state folder of {host} is as it was ({restored:?})");
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        copy(&file.path(), &to.join(file.file_name()))?;
    }
    Ok(())
}
