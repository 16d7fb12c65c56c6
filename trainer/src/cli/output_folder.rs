//! The checkpoints in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use acai_trainer::checkpoint::step_of;
use anyhow::Context;

/// Checkpoints kept: the newest, and one more should that be damaged.
const KEEP: usize = 2;

/// Checkpoints in `folder`, oldest first.
pub(super) fn checkpoints(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listing = || format!("cannot list folder `{}`", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(listing)? {
        let entry = entry.with_context(listing)?;
        if let Some(step) = entry.file_name().to_str().and_then(step_of) {
            found.push((step, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Deletes all but the newest.
pub(super) fn prune(folder: &Path) -> anyhow::Result<()> {
    for old in checkpoints(folder)?.iter().rev().skip(KEEP) {
        fs::remove_file(old).with_context(|| format!("cannot delete old checkpoint `{}`", old.display()))?;
    }
    Ok(())
}
