//! Nothing grows without bound: neither what is called for, nor what is left on disks.

use std::fs;
use std::io;
use std::path::Path;

use crate::journal::Journal;

/// Times that an agent does anything within a minute, at the most: it may do so for each of its runs once in a second.
const MOST_CALLS: u64 = 400;
/// Bytes of a file of an agent at the most: a spool has the points of one attempt, a log what one trainer printed.
const MOST_BYTES: u64 = 1 << 20;
/// Files of an agent at the most: of each of some ten runs its last checkpoints, and the pictures and logs of its attempts.
const MOST_FILES: usize = 1_000;

/// Nobody calls without a pause.
pub(crate) fn calls(journal: &Journal, agents: usize) {
    for ((who, what), count) in journal.all_counts() {
        tracing::info!(target: "simulation", "{who} {what}: {} in all, {} a minute at most", count.total, count.most);
        let callers = if who == "store" { agents as u64 } else { 1 };
        if count.most > MOST_CALLS * callers {
            journal.violates(format!("{who}: {} times {what} within a minute", count.most));
        }
    }
}

/// What an agent leaves on its disk is no more than its runs need.
pub(crate) fn files(journal: &Journal, agent: &str) {
    let mut sizes = Vec::new();
    if let Err(error) = list(&Path::new(agent).join("state"), &mut sizes) {
        return tracing::info!(target: "simulation", "{agent} has no files: {error}");
    }
    let (files, largest) = (sizes.len(), sizes.into_iter().max().unwrap_or_default());
    tracing::info!(target: "simulation", "{agent} has {files} files, of {largest} bytes at most");
    if files > MOST_FILES || largest > MOST_BYTES {
        journal.violates(format!("{agent} has {files} files, of {largest} bytes at most"));
    }
}

/// The sizes of all files in a folder, and in the folders there.
fn list(folder: &Path, sizes: &mut Vec<u64>) -> io::Result<()> {
    for file in fs::read_dir(folder)? {
        let file = file?;
        if file.file_type()?.is_dir() {
            list(&file.path(), sizes)?;
        } else {
            sizes.push(file.metadata()?.len());
        }
    }
    Ok(())
}
