//! Where the pictures of a sweep's runs are on this machine.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::about::About;
use super::layout::PICTURES;

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
    let mut folders = Vec::new();
    for run in runs {
        let root = run?.path();
        let pictures = root.join(PICTURES);
        let is_of_sweep = About::read(&root)?.is_some_and(|about| about.sweep == sweep);
        if is_of_sweep && pictures.is_dir() {
            folders.push(pictures);
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use acai_proto::v1::{Assignment, Attempt};

    use super::*;
    use crate::run_folder::RunFolder;

    #[test]
    fn only_folders_with_pictures_of_runs_of_the_sweep_are_listed() {
        let state = tempfile::tempdir().unwrap();
        assert!(picture_folders(state.path(), "demo").unwrap().is_empty(), "nothing has run here");
        let runs = state.path().join("runs");
        for (sweep, number, draws) in
            [("demo", 1, true), ("demo", 2, false), ("demo-1", 3, true), ("other", 4, true)]
        {
            let assignment = Assignment { sweep: sweep.into(), number, ..Assignment::default() };
            let attempt = Attempt { run: number.into(), number: 1, token: 0 };
            let folder = RunFolder::open(&runs, &assignment, attempt).unwrap();
            if draws {
                fs::create_dir(folder.root.join(PICTURES)).unwrap();
            }
        }
        assert_eq!(picture_folders(state.path(), "demo").unwrap(), [runs.join("demo-1/pictures")]);
    }
}
