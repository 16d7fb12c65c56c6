//! Where the pictures of a sweep's runs are on this machine.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::layout::PICTURES;
use super::name::slug;

/// The folders that hold pictures of runs of the sweep, below the state folder `state`, in no particular order; none
/// where nothing has been drawn yet.
///
/// # Errors
/// If the state folder cannot be read.
pub fn picture_folders(state: &Path, sweep: &str) -> io::Result<Vec<PathBuf>> {
    let runs = match fs::read_dir(state.join("runs")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        runs => runs?,
    };
    let beginning = slug(sweep) + "-run";
    let mut folders = Vec::new();
    for run in runs {
        let run = run?;
        let name = run.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(&beginning));
        let pictures = run.path().join(PICTURES);
        // Another sweep's name may begin with this one's and `-run`.
        if number.is_some_and(|number| number.parse::<u64>().is_ok()) && pictures.is_dir() {
            folders.push(pictures);
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn only_folders_with_pictures_of_runs_of_the_sweep_are_listed() {
        let state = tempfile::tempdir().unwrap();
        assert!(picture_folders(state.path(), "demo").unwrap().is_empty(), "nothing has run here");
        let runs = state.path().join("runs");
        for folder in ["demo-run1/pictures", "demo-run2", "demo-run-3-run1/pictures", "other-run3/pictures"] {
            fs::create_dir_all(runs.join(folder)).unwrap();
        }
        assert_eq!(picture_folders(state.path(), "demo").unwrap(), [runs.join("demo-run1/pictures")]);
    }
}
