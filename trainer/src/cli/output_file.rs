//! The file that is made of checkpoints.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;

/// Refuses an output that is one of the checkpoints it is made of, also by another name.
pub(super) fn check(output: &Path, checkpoints: &[PathBuf]) -> anyhow::Result<()> {
    // What is not there yet is no checkpoint.
    let Ok(output) = fs::canonicalize(output) else { return Ok(()) };
    let is_output = |file: &PathBuf| fs::canonicalize(file).is_ok_and(|file| file == output);
    ensure!(
        !checkpoints.iter().any(is_output),
        "that would replace the checkpoint itself; choose another `--output`"
    );
    Ok(())
}
