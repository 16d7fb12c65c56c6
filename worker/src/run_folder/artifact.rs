//! Files for people that trainers made, and what trainers printed: kept on this machine, and noted until the coordinator
//! has them.
//!
//! Beside a file that is still to be uploaded there is a note of its name with a dot in front: whoever is started after
//! this agent was killed finds it, and goes on.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use acai_proto::v1::Attempt;
use serde::{Deserialize, Serialize};

use super::RunFolder;
use super::layout::{LOGS, PICTURES};
use crate::machine::durable::flush;

/// What the name of a note ends with.
const NOTE: &str = "upload";

/// A file that the coordinator does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Artifact {
    /// Whose trainer made the file.
    pub(crate) attempt: Attempt,
    /// The file's name without its step, such as `interpolations.png`.
    pub(crate) name: String,
    /// Training steps done when the file was made.
    pub(crate) step: u64,
    /// Where the file is.
    pub(crate) file: PathBuf,
    note: PathBuf,
}

/// Contents of a note.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    run: u64,
    attempt: u32,
    token: u64,
    name: String,
    step: u64,
}

impl RunFolder {
    /// Takes a file of the attempt's folder to where no later attempt clears it away, and notes that it is to be uploaded.
    pub(crate) fn keep_artifact(&self, file: &Path, attempt: Attempt, step: u64) -> io::Result<Artifact> {
        let pictures = self.root.join(PICTURES);
        fs::create_dir_all(&pictures)?;
        let file_name = file.file_name().unwrap_or_default();
        let kept = pictures.join(file_name);
        fs::rename(file, &kept)?;
        Artifact::noted(kept, without_step(&file_name.to_string_lossy(), step), attempt, step)
    }

    /// Keeps what the attempt's trainer has printed up to `step`, and notes that it is to be uploaded.
    pub(crate) fn keep_log(&self, printed: &str, attempt: Attempt, step: u64) -> io::Result<Artifact> {
        let logs = self.root.join(LOGS);
        fs::create_dir_all(&logs)?;
        let name = format!("log-{}.txt", attempt.number);
        let kept = logs.join(&name);
        fs::write(&kept, printed)?;
        Artifact::noted(kept, name, attempt, step)
    }
}

impl Artifact {
    /// Notes that the file is to be uploaded. The file is on the disk before the note: after a power cut there is no note of half a file.
    fn noted(file: PathBuf, name: String, attempt: Attempt, step: u64) -> io::Result<Artifact> {
        flush(&file)?;
        let note = note_of(&file);
        let contents = Note { run: attempt.run, attempt: attempt.number, token: attempt.token, name, step };
        fs::write(&note, serde_json::to_vec(&contents)?)?;
        Ok(Artifact { attempt, name: contents.name, step, file, note })
    }

    /// Forgets that the file is to be uploaded. The file stays.
    pub(crate) fn settle(&self) -> io::Result<()> {
        match fs::remove_file(&self.note) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads a note; none where it is damaged, which a killed agent may leave.
    fn read(note: PathBuf) -> io::Result<Option<Artifact>> {
        let Ok(Note { run, attempt, token, name, step }) = serde_json::from_slice(&fs::read(&note)?) else {
            return Ok(None);
        };
        let attempt = Attempt { run, number: attempt, token };
        let file = note.file_stem().and_then(OsStr::to_str).and_then(|name| name.strip_prefix('.'));
        let Some(file) = file.map(|file| note.with_file_name(file)) else { return Ok(None) };
        Ok(Some(Artifact { attempt, name, step, file, note }))
    }
}

/// The files of all runs in the folder `runs` that are still to be uploaded, oldest steps first.
///
/// # Errors
/// If the folder cannot be read; one run's that cannot is left out.
pub(crate) fn artifacts_to_upload(runs: &Path) -> io::Result<Vec<Artifact>> {
    let mut artifacts = Vec::new();
    for run in fs::read_dir(runs)? {
        let root = run?.path();
        let folders = [PICTURES, LOGS].into_iter().filter_map(|folder| fs::read_dir(root.join(folder)).ok());
        let notes = folders.flatten().filter_map(|file| Some(file.ok()?.path()));
        let notes = notes.filter(|path| path.extension() == Some(OsStr::new(NOTE)));
        artifacts.extend(notes.filter_map(|note| Artifact::read(note).ok().flatten()));
    }
    artifacts.sort_by_key(|artifact| artifact.step);
    Ok(artifacts)
}

fn note_of(file: &Path) -> PathBuf {
    let mut name = OsStr::new(".").to_owned();
    name.push(file.file_name().unwrap_or_default());
    file.with_file_name(name).with_added_extension(NOTE)
}

/// `interpolations-000000100.png` at step 100 is `interpolations.png` without it.
fn without_step(file: &str, step: u64) -> String {
    file.replacen(&format!("-{step:09}"), "", 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_folder::fixture::open;

    #[test]
    fn an_artifact_is_found_after_the_agent_was_killed_until_it_is_settled() {
        let state = tempfile::tempdir().unwrap();
        let runs = state.path().join("runs");
        let folder = open(state.path(), 1);
        let drawn = folder.attempt().join("samples-000000100.png");
        fs::write(&drawn, "picture").unwrap();
        let attempt = Attempt { run: 7, number: 1, token: u64::MAX };
        let kept = folder.keep_artifact(&drawn, attempt, 100).unwrap();
        assert_eq!((kept.name.as_str(), kept.step, kept.attempt), ("samples.png", 100, attempt));
        assert_eq!(fs::read(&kept.file).unwrap(), b"picture");

        // A note that was being written when the agent was killed holds up no other one.
        fs::write(kept.file.with_file_name(".half.png.upload"), "{").unwrap();
        assert_eq!(artifacts_to_upload(&runs).unwrap(), std::slice::from_ref(&kept));
        kept.settle().unwrap();
        kept.settle().unwrap();
        let log = folder.keep_log("printed", attempt, 120).unwrap();
        assert_eq!((log.name.as_str(), fs::read(&log.file).unwrap()), ("log-1.txt", b"printed".to_vec()));
        assert_eq!(artifacts_to_upload(&runs).unwrap(), std::slice::from_ref(&log));
        log.settle().unwrap();
        assert_eq!(artifacts_to_upload(&runs).unwrap(), []);
        assert!(kept.file.exists());
    }

    #[test]
    fn a_name_has_no_step_in_it() {
        assert_eq!(without_step("interpolations-000000100.png", 100), "interpolations.png");
        assert_eq!(without_step("notes-000000099.txt", 100), "notes-000000099.txt");
    }
}
