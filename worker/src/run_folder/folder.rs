//! The folder of a run, and where in it an attempt writes.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use acai_proto::v1::{Assignment, Attempt};

use super::about::About;
use super::cleanup::clear;
use super::layout;
use super::name::name_of;
use super::record::{Committed, Record};
use super::set_aside;
use crate::machine::disk::leads_nowhere;

/// The folder of one run, and in it the folder of the attempt at hand.
#[derive(Debug, Clone)]
pub(crate) struct RunFolder {
    pub(super) root: PathBuf,
    attempt: PathBuf,
}

impl RunFolder {
    /// Makes the folder of an attempt, and clears away what earlier attempts wrote but never committed.
    pub(crate) fn open(runs: &Path, assignment: &Assignment, attempt: Attempt) -> io::Result<Self> {
        fs::create_dir_all(runs)?;
        let name = name_of(runs, &assignment.sweep, assignment.number, attempt.run)?;
        let folder = Self::reopen(runs, &name, attempt)?;
        About::new(assignment, attempt.run).write(&folder.root)?;
        let record = match Record::read(&folder.root) {
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                tracing::warn!("{error}; the run's checkpoints on this machine are set aside");
                set_aside::set_all_aside(&folder.root)?;
                Record::default()
            }
            record => record?,
        };
        clear(&folder.root, &record)?;
        make_way(&folder, &record, attempt)?;
        fs::create_dir_all(&folder.attempt)?;
        Ok(folder)
    }

    /// The folder of an attempt that an earlier agent began, with all that the agent left in it.
    pub(crate) fn reopen(runs: &Path, name: &Path, attempt: Attempt) -> io::Result<Self> {
        let root = runs.join(name);
        let attempt = layout::attempt(&root, attempt.number);
        fs::create_dir_all(&attempt)?;
        Ok(Self { root: root.canonicalize()?, attempt: attempt.canonicalize()? })
    }

    /// The folder's name among the folders of all runs.
    pub(crate) fn name(&self) -> PathBuf {
        self.root.file_name().unwrap_or_default().into()
    }

    /// `file` relative to the run's folder, for a record that outlives this agent.
    pub(crate) fn relative(&self, file: &Path) -> PathBuf {
        file.strip_prefix(&self.root).unwrap_or(file).to_owned()
    }

    /// The file that [`Self::relative`] made relative.
    pub(crate) fn file(&self, relative: &Path) -> PathBuf {
        self.root.join(relative)
    }

    /// Where the attempt's trainer writes.
    pub(crate) fn attempt(&self) -> &Path {
        &self.attempt
    }

    /// Where a checkpoint of another machine goes.
    pub(crate) fn downloaded(&self, step: u64) -> PathBuf {
        self.attempt.join(format!("resumed-{step:09}.safetensors"))
    }

    /// Whether `file` exists and is directly in the attempt's folder, as a checkpoint must be.
    ///
    /// # Errors
    /// This machine cannot look, which says nothing of the trainer that named the file.
    pub(crate) fn holds(&self, file: &Path) -> io::Result<bool> {
        self.attempt.canonicalize()?;
        match file.canonicalize() {
            Err(error) if leads_nowhere(&error) => Ok(false),
            file => Ok(file?.parent() == Some(&self.attempt)),
        }
    }
}

/// Moves the checkpoints of an attempt of the same number away, which the database has forgotten: this attempt writes files of the
/// same names.
fn make_way(folder: &RunFolder, record: &Record, attempt: Attempt) -> io::Result<()> {
    let in_the_way = |committed: &&Committed| folder.file(&committed.file).starts_with(&folder.attempt);
    let mut forgotten = record.checkpoints.iter().filter(in_the_way);
    let Some(token) = forgotten.find_map(|committed| committed.basis?.forgotten_by(attempt)) else {
        return Ok(());
    };
    let away = layout::forgotten_attempt(&folder.root, attempt.number, token);
    // The record names both, since of these only one is there, whenever this agent may be killed.
    let moved = |committed: &Committed| {
        let name = committed.file.file_name().unwrap_or_default();
        Committed { file: folder.relative(&away.join(name)), ..committed.clone() }
    };
    let both = record.checkpoints.iter().flat_map(|committed| {
        [committed.clone()].into_iter().chain(Some(committed).filter(in_the_way).map(moved))
    });
    Record { checkpoints: both.collect() }.write(&folder.root)?;
    fs::rename(&folder.attempt, away)?;
    Record::read(&folder.root)?.write(&folder.root)
}

#[cfg(test)]
mod tests {
    use acai_proto::v1::EarlierAttempt;

    use super::*;
    use crate::run_folder::basis::Basis;
    use crate::run_folder::checkpoint::Checkpoint;
    use crate::run_folder::fixture::{basis, newest, open, written};
    use crate::run_folder::layout::RECORD;

    #[test]
    fn a_record_that_cannot_be_read_is_an_error_and_clears_nothing_away() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        let kept = written(&folder, 10);
        folder.commit(&kept, basis()).unwrap();
        let (record, away) = (folder.root.join(RECORD), folder.root.join("away"));
        fs::rename(&record, &away).unwrap();
        // Reading this link to itself fails as it does on a failing disk: the error does not say that nothing is there.
        std::os::unix::fs::symlink(RECORD, &record).unwrap();
        let assignment = Assignment { sweep: "../up".into(), number: 3, ..Assignment::default() };
        let second = Attempt { run: 7, number: 2, token: 0 };
        let refused = RunFolder::open(&state.path().join("runs"), &assignment, second).unwrap_err();
        assert!(refused.to_string().contains("resume.json"), "{refused}");

        fs::rename(away, record).unwrap();
        assert_eq!(newest(&open(state.path(), 2)).unwrap().step, 10);
    }

    #[test]
    fn a_run_with_a_damaged_record_starts_from_scratch_and_its_files_are_set_aside() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        let kept = written(&folder, 10);
        folder.commit(&kept, basis()).unwrap();
        fs::write(folder.root.join(RECORD), "{").unwrap();
        for attempt in 2..4 {
            assert_eq!(newest(&open(state.path(), attempt)), None);
            assert!(kept.file.with_added_extension("refused").is_file());
            assert!(folder.root.join("resume.json.refused").is_file());
        }
    }

    #[test]
    fn a_forgotten_attempts_checkpoints_are_not_in_the_way_of_another_attempt_of_its_number() {
        let state = tempfile::tempdir().unwrap();
        let runs = state.path().join("runs");
        let assignment = Assignment { sweep: "lines".into(), number: 3, ..Assignment::default() };
        let [first, second] = [5, 6].map(|token| Attempt { run: 7, number: 2, token });
        let forgotten = RunFolder::open(&runs, &assignment, first).unwrap();
        for (step, last_seq) in [(20, 2), (30, 3)] {
            forgotten.commit(&written(&forgotten, step), Basis::new(first, last_seq)).unwrap();
        }

        let folder = RunFolder::open(&runs, &assignment, second).unwrap();
        let of_newer_database = EarlierAttempt { number: first.number, token: first.token, acked_seq: 3 };
        let later = Assignment {
            attempt: Some(Attempt { run: 7, number: 3, token: 7 }),
            earlier_attempts: vec![of_newer_database],
            ..assignment
        };
        assert_eq!(
            folder.resumable(&later).unwrap().map(|kept| kept.step),
            Some(30),
            "the newer state comes back"
        );

        let again = [10, 20, 30].map(|step| written(&folder, step));
        for checkpoint in &again {
            folder.commit(checkpoint, Basis::new(second, checkpoint.step)).unwrap();
        }
        assert_eq!(newest(&folder), Some(Checkpoint { step: 30, file: again[2].file.clone() }));
        assert!(again[1].file.is_file() && again[2].file.is_file());
    }

    #[test]
    fn only_files_in_the_attempts_own_folder_are_its_checkpoints() {
        let state = tempfile::tempdir().unwrap();
        let (first, second) = (open(state.path(), 1), open(state.path(), 2));
        fs::create_dir_all(first.attempt()).unwrap();
        let other = written(&first, 10);
        assert!(first.holds(&other.file).unwrap() && !second.holds(&other.file).unwrap());
        assert!(!second.holds(&second.attempt().join("missing")).unwrap());
        assert!(!second.holds(Path::new("/dev/null/file")).unwrap());
        fs::remove_dir(second.attempt()).unwrap();
        assert!(
            second.holds(&second.attempt().join("missing")).is_err(),
            "that the folder is gone is the machine's fault"
        );
    }
}
