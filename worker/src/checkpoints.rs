//! What a run leaves on this machine.
//!
//! ```text
//! <state>/runs/<sweep>-<index>-run<id>/
//!   resume.json      committed checkpoints, newest first: what a later attempt may continue from
//!   pictures/        what its trainers drew
//!   attempt-<n>/     written by attempt n's trainer; no two attempts share a folder
//! ```
//!
//! All calls block on the disk.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use acai_proto::v1::{Assignment, Attempt};
use serde::{Deserialize, Serialize};

use crate::outbox::Checkpoint;

const RECORD: &str = "resume.json";
const PICTURES: &str = "pictures";
/// Committed checkpoints to keep, so that there is another one when the newest turns out damaged.
const KEEP: usize = 2;

/// The folder of one run, and in it the one of the attempt at hand.
#[derive(Debug, Clone)]
pub(crate) struct RunFolder {
    root: PathBuf,
    attempt: PathBuf,
}

/// Contents of `resume.json`; files are relative to the run's folder.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    checkpoints: Vec<Committed>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Committed {
    step: u64,
    file: PathBuf,
}

impl RunFolder {
    /// Makes the folder of an attempt, and clears away what earlier ones wrote but never committed.
    pub(crate) fn open(runs: &Path, assignment: &Assignment, attempt: Attempt) -> io::Result<Self> {
        let name = format!("{}-{}-run{}", slug(&assignment.sweep), assignment.index, attempt.run);
        let folder = Self::reopen(runs, Path::new(&name), attempt)?;
        folder.clear(&folder.read())?;
        fs::create_dir_all(&folder.attempt)?;
        Ok(folder)
    }

    /// The folder of an attempt that an earlier agent began, as it left it.
    pub(crate) fn reopen(runs: &Path, name: &Path, attempt: Attempt) -> io::Result<Self> {
        let root = runs.join(name);
        let attempt = root.join(format!("attempt-{}", attempt.number));
        fs::create_dir_all(&attempt)?;
        Ok(Self { root: root.canonicalize()?, attempt: attempt.canonicalize()? })
    }

    /// Its name among the folders of all runs.
    pub(crate) fn name(&self) -> PathBuf {
        self.root.file_name().unwrap_or_default().into()
    }

    /// `file` as seen from the run's folder, for a record that outlives this agent.
    pub(crate) fn relative(&self, file: &Path) -> PathBuf {
        file.strip_prefix(&self.root).unwrap_or(file).to_owned()
    }

    /// The other way round.
    pub(crate) fn file(&self, relative: &Path) -> PathBuf {
        self.root.join(relative)
    }

    /// Where the attempt's trainer writes.
    pub(crate) fn attempt(&self) -> &Path {
        &self.attempt
    }

    /// The newest committed checkpoint.
    pub(crate) fn resume(&self) -> Option<Checkpoint> {
        let newest = self.read().checkpoints.into_iter().next()?;
        Some(Checkpoint { step: newest.step, file: self.root.join(newest.file) })
    }

    /// Where a checkpoint of another machine goes.
    pub(crate) fn downloaded(&self, step: u64) -> PathBuf {
        self.attempt.join(format!("resumed-{step:09}.safetensors"))
    }

    /// Takes out of use what attempts up to `last` committed: a person wants training to start over.
    pub(crate) fn void(&self, last: u32) -> io::Result<()> {
        if last == 0 {
            return Ok(());
        }
        let of_attempt = |committed: &Committed| {
            let folder = committed.file.components().next()?.as_os_str().to_str()?;
            folder.strip_prefix("attempt-")?.parse::<u32>().ok()
        };
        let mut record = self.read();
        let before = record.checkpoints.len();
        record.checkpoints.retain(|committed| of_attempt(committed).is_none_or(|attempt| attempt > last));
        if record.checkpoints.len() == before {
            return Ok(());
        }
        self.write(&record)?;
        self.clear(&record)
    }

    /// Whether `file` exists and is directly in the attempt's folder, as a checkpoint must be.
    pub(crate) fn holds(&self, file: &Path) -> bool {
        file.canonicalize().is_ok_and(|file| file.parent() == Some(&self.attempt))
    }

    /// Takes a file of the attempt's folder to where no later attempt clears it away.
    pub(crate) fn keep_artifact(&self, file: &Path) -> io::Result<()> {
        let pictures = self.root.join(PICTURES);
        fs::create_dir_all(&pictures)?;
        fs::rename(file, pictures.join(file.file_name().unwrap_or_default()))
    }

    /// Makes `checkpoint` what a later attempt resumes from, and deletes all but the newest two.
    pub(crate) fn commit(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        let file = checkpoint.file.canonicalize()?;
        let file = file.strip_prefix(&self.root).map_err(io::Error::other)?.to_owned();
        let mut record = self.read();
        // An agent that takes up where a killed one stopped repeats what that one had done last.
        if record.checkpoints.iter().any(|committed| committed.file == file) {
            return Ok(());
        }
        record.checkpoints.insert(0, Committed { step: checkpoint.step, file });
        let dropped = record.checkpoints.split_off(record.checkpoints.len().min(KEEP));
        self.write(&record)?;
        dropped.iter().try_for_each(|old| self.remove(&old.file))
    }

    /// Takes every committed checkpoint out of use.
    pub(crate) fn set_all_aside(&self) -> io::Result<()> {
        while self.resume().is_some() {
            self.set_aside()?;
        }
        Ok(())
    }

    /// Takes the newest committed checkpoint out of use, because a trainer refused it. The file stays
    /// under another name, for people to look at.
    pub(crate) fn set_aside(&self) -> io::Result<()> {
        let mut record = self.read();
        if record.checkpoints.is_empty() {
            return Ok(());
        }
        let refused = self.root.join(record.checkpoints.remove(0).file);
        self.write(&record)?;
        let mut name = refused.clone().into_os_string();
        name.push(".refused");
        fs::rename(refused, name)
    }

    /// Deletes all but the committed checkpoint of the run's last step: the trained model. Without one all is kept.
    pub(crate) fn keep_last(&self, last_step: u64) -> io::Result<()> {
        let mut record = self.read();
        if record.checkpoints.first().is_none_or(|newest| newest.step != last_step) {
            return Ok(());
        }
        record.checkpoints.truncate(1);
        self.write(&record)?;
        self.clear(&record)
    }

    /// Checkpoints that were committed and still exist. An unreadable record is none: training
    /// starts from scratch, which is slower but right.
    fn read(&self) -> Record {
        let mut record = match fs::read(self.root.join(RECORD)) {
            Ok(bytes) => serde_json::from_slice::<Record>(&bytes).unwrap_or_else(|error| {
                tracing::warn!("`{}` is damaged, ignoring it: {error}", self.root.join(RECORD).display());
                Record::default()
            }),
            Err(_) => Record::default(),
        };
        record.checkpoints.retain(|committed| self.root.join(&committed.file).is_file());
        record
    }

    /// Replaces the record in one step that a crash cannot split.
    fn write(&self, record: &Record) -> io::Result<()> {
        let temporary = self.root.join(format!("{RECORD}.tmp"));
        let mut file = File::create(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(record)?)?;
        file.sync_all()?;
        fs::rename(&temporary, self.root.join(RECORD))?;
        File::open(&self.root)?.sync_all()
    }

    /// Deletes from all attempts what `record` does not name, save what was set aside.
    fn clear(&self, record: &Record) -> io::Result<()> {
        for attempt in fs::read_dir(&self.root)? {
            let attempt = attempt?;
            if !attempt.file_type()?.is_dir() || attempt.file_name() == PICTURES {
                continue;
            }
            for file in fs::read_dir(attempt.path())? {
                let file = file?;
                let is_file = file.file_type()?.is_file();
                let file = Path::new(&attempt.file_name()).join(file.file_name());
                let named = record.checkpoints.iter().any(|committed| committed.file == file);
                if is_file && !named && file.extension() != Some(OsStr::new("refused")) {
                    self.remove(&file)?;
                }
            }
            // Fails on a folder that still holds something, as it should.
            let _ = fs::remove_dir(attempt.path());
        }
        Ok(())
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        match fs::remove_file(self.root.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// A sweep's name as part of a folder's name: what could mean something to a file system becomes `-`.
fn slug(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    name.chars().take(64).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(state: &Path, attempt: u32) -> RunFolder {
        let assignment = Assignment { sweep: "../up".into(), index: 3, ..Assignment::default() };
        RunFolder::open(&state.join("runs"), &assignment, Attempt { run: 7, number: attempt }).unwrap()
    }

    fn written(folder: &RunFolder, step: u64) -> Checkpoint {
        let file = folder.attempt().join(format!("step-{step}.safetensors"));
        fs::write(&file, "weights").unwrap();
        Checkpoint { step, file }
    }

    #[test]
    fn a_later_attempt_resumes_from_the_newest_committed_checkpoint_and_two_are_kept() {
        let state = tempfile::tempdir().unwrap();
        let first = open(state.path(), 1);
        assert!(first.attempt().ends_with("runs/---up-3-run7/attempt-1"));
        let [a, b, c, uncommitted] = [10, 20, 30, 40].map(|step| written(&first, step));
        for checkpoint in [&a, &b, &c, &c] {
            first.commit(checkpoint).unwrap();
        }

        let second = open(state.path(), 2);
        assert_eq!(second.resume().unwrap(), Checkpoint { step: 30, file: c.file.canonicalize().unwrap() });
        assert!(!a.file.exists() && b.file.exists() && !uncommitted.file.exists());
    }

    #[test]
    fn refused_checkpoints_are_set_aside_until_training_starts_from_scratch() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        let [a, b] = [10, 20].map(|step| written(&folder, step));
        folder.commit(&a).unwrap();
        folder.commit(&b).unwrap();
        folder.set_aside().unwrap();
        assert_eq!(open(state.path(), 2).resume().unwrap().step, 10);
        folder.set_aside().unwrap();
        assert_eq!(open(state.path(), 3).resume(), None);
        assert!(b.file.with_extension("safetensors.refused").exists());
    }

    #[test]
    fn a_completed_run_keeps_only_its_last_checkpoint() {
        let state = tempfile::tempdir().unwrap();
        let first = open(state.path(), 1);
        let old = written(&first, 10);
        first.commit(&old).unwrap();
        let second = open(state.path(), 2);
        let last = written(&second, 20);
        second.commit(&last).unwrap();
        second.keep_last(30).unwrap();
        assert!(old.file.exists(), "the last one is not there yet");
        second.keep_last(20).unwrap();
        assert!(last.file.exists() && !first.attempt().exists());
        assert_eq!(second.resume().unwrap().step, 20);
    }

    #[test]
    fn voided_attempts_leave_nothing_to_resume_from() {
        let state = tempfile::tempdir().unwrap();
        let first = open(state.path(), 1);
        first.commit(&written(&first, 10)).unwrap();
        let second = open(state.path(), 2);
        second.void(0).unwrap();
        assert_eq!(second.resume().unwrap().step, 10);
        second.commit(&written(&second, 20)).unwrap();
        second.void(1).unwrap();
        assert_eq!(second.resume().unwrap().step, 20);
        let third = open(state.path(), 3);
        third.void(2).unwrap();
        assert_eq!(third.resume(), None);
    }

    #[test]
    fn a_damaged_record_means_from_scratch() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        folder.commit(&written(&folder, 10)).unwrap();
        fs::write(folder.root.join(RECORD), "{").unwrap();
        assert_eq!(open(state.path(), 2).resume(), None);
    }

    #[test]
    fn only_files_in_the_attempts_own_folder_are_its_checkpoints() {
        let state = tempfile::tempdir().unwrap();
        let (first, second) = (open(state.path(), 1), open(state.path(), 2));
        fs::create_dir_all(first.attempt()).unwrap();
        let other = written(&first, 10);
        assert!(first.holds(&other.file) && !second.holds(&other.file));
        assert!(!second.holds(&second.attempt().join("missing")));
    }
}
