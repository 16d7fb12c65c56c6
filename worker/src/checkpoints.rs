//! What a run leaves on this machine.
//!
//! ```text
//! <state>/runs/<sweep>-run<id>/
//!   resume.json      committed checkpoints, newest first: what a later attempt may continue from
//!   pictures/        what its trainers drew
//!   attempt-<n>/     written by attempt n's trainer; no two attempts share a folder
//! ```
//!
//! The number is the run's own, which no submission changes; its place in the sweep's plan may move. Earlier versions had
//! that place in the name as well: their folders are found and used under the names that they have.
//!
//! Checkpoints and pictures stay until a person deletes them, except what later checkpoints replace; what a completed run
//! leaves is its trained model and its pictures. A folder that holds neither is removed when a worker starts.
//!
//! All calls block on the disk.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use acai_proto::v1::{Assignment, Attempt, EarlierAttempt};
use serde::{Deserialize, Serialize};

use crate::durable::replace;
use crate::machine_fault::leads_nowhere;
use crate::outbox::Checkpoint;

const RECORD: &str = "resume.json";
pub(crate) const PICTURES: &str = "pictures";
/// What is appended to the name of a file that is not used any more and kept for people to look at.
const REFUSED: &str = "refused";
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
    /// None in records of version 0.1.0.
    #[serde(default)]
    basis: Option<Basis>,
}

/// What the coordinator's database held when a checkpoint was committed. A database that was restored from an older
/// backup has lost it, and training that went on from the checkpoint would leave a hole in the run's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Basis {
    attempt: u32,
    token: u64,
    /// Points 1 to this number of the attempt.
    last_seq: u64,
}

impl Basis {
    /// The points of `attempt` up to number `last_seq`.
    pub(crate) fn new(attempt: Attempt, last_seq: u64) -> Self {
        Self { attempt: attempt.number, token: attempt.token, last_seq }
    }

    /// Whether a database that has these attempts still holds it.
    fn is_held(&self, attempts: &[EarlierAttempt]) -> bool {
        attempts.iter().any(|held| {
            (held.number, held.token) == (self.attempt, self.token) && held.acked_seq >= self.last_seq
        })
    }
}

impl RunFolder {
    /// Makes the folder of an attempt, and clears away what earlier ones wrote but never committed.
    pub(crate) fn open(runs: &Path, assignment: &Assignment, attempt: Attempt) -> io::Result<Self> {
        fs::create_dir_all(runs)?;
        let folder = Self::reopen(runs, &name_of(runs, &assignment.sweep, attempt.run)?, attempt)?;
        let record = match folder.read() {
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                tracing::warn!("{error}; the run's checkpoints on this machine are set aside");
                folder.set_unrecorded_aside()?;
                Record::default()
            }
            record => record?,
        };
        folder.clear(&record)?;
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
    pub(crate) fn resume(&self) -> io::Result<Option<Checkpoint>> {
        let newest = self.read()?.checkpoints.into_iter().next();
        Ok(newest.map(|newest| Checkpoint { step: newest.step, file: self.root.join(newest.file) }))
    }

    /// The newest committed checkpoint whose basis the coordinator's database still holds.
    pub(crate) fn resumable(&self, assignment: &Assignment) -> io::Result<Option<Checkpoint>> {
        // A coordinator of version 0.1.0 gives no tokens, and does not tell of earlier attempts.
        let tells = assignment.attempt.is_some_and(|attempt| attempt.token != 0);
        let is_held = |committed: &Committed| {
            !tells || committed.basis.is_none_or(|basis| basis.is_held(&assignment.earlier_attempts))
        };
        let newest = self.read()?.checkpoints.into_iter().find(is_held);
        Ok(newest.map(|newest| Checkpoint { step: newest.step, file: self.root.join(newest.file) }))
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
        let mut record = self.read()?;
        let before = record.checkpoints.len();
        record.checkpoints.retain(|committed| of_attempt(committed).is_none_or(|attempt| attempt > last));
        if record.checkpoints.len() == before {
            return Ok(());
        }
        self.write(&record)?;
        self.clear(&record)
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

    /// Takes a file of the attempt's folder to where no later attempt clears it away.
    pub(crate) fn keep_artifact(&self, file: &Path) -> io::Result<()> {
        let pictures = self.root.join(PICTURES);
        fs::create_dir_all(&pictures)?;
        fs::rename(file, pictures.join(file.file_name().unwrap_or_default()))
    }

    /// Makes `checkpoint` what a later attempt resumes from, and deletes all but the newest two.
    pub(crate) fn commit(&self, checkpoint: &Checkpoint, basis: Basis) -> io::Result<()> {
        let file = checkpoint.file.canonicalize()?;
        let file = file.strip_prefix(&self.root).map_err(io::Error::other)?.to_owned();
        let mut record = self.read()?;
        // An agent that takes up where a killed one stopped repeats what that one had done last.
        if record.checkpoints.iter().any(|committed| committed.file == file) {
            return Ok(());
        }
        record.checkpoints.insert(0, Committed { step: checkpoint.step, file, basis: Some(basis) });
        let dropped = record.checkpoints.split_off(record.checkpoints.len().min(KEEP));
        self.write(&record)?;
        dropped.iter().try_for_each(|old| self.remove(&old.file))
    }

    /// Takes every committed checkpoint out of use.
    pub(crate) fn set_all_aside(&self) -> io::Result<()> {
        while self.resume()?.is_some() {
            self.set_aside()?;
        }
        Ok(())
    }

    /// Takes the newest committed checkpoint out of use, because a trainer refused it. The file stays
    /// under another name, for people to look at.
    pub(crate) fn set_aside(&self) -> io::Result<()> {
        let mut record = self.read()?;
        if record.checkpoints.is_empty() {
            return Ok(());
        }
        let refused = self.root.join(record.checkpoints.remove(0).file);
        // First: what the record names and is not there is not used either, should there be no room for the record.
        fs::rename(&refused, refused.with_added_extension(REFUSED))?;
        self.write(&record)
    }

    /// Takes everything out of use whose record is damaged: which of the files were committed is not known any more, and
    /// training may go on only from one that was. The record goes last, so that this can be repeated.
    fn set_unrecorded_aside(&self) -> io::Result<()> {
        for attempt in self.attempts()? {
            for file in fs::read_dir(&attempt)? {
                let file = file?;
                if file.file_type()?.is_file() && !is_refused(&file.path()) {
                    fs::rename(file.path(), file.path().with_added_extension(REFUSED))?;
                }
            }
        }
        let record = self.root.join(RECORD);
        fs::rename(&record, record.with_added_extension(REFUSED))
    }

    /// Deletes all but the committed checkpoint of the run's last step: the trained model. Without one all is kept.
    pub(crate) fn keep_last(&self, last_step: u64) -> io::Result<()> {
        let mut record = self.read()?;
        if record.checkpoints.first().is_none_or(|newest| newest.step != last_step) {
            return Ok(());
        }
        record.checkpoints.truncate(1);
        self.write(&record)?;
        self.clear(&record)
    }

    /// Checkpoints that were committed and still exist.
    ///
    /// # Errors
    /// `InvalidData`: the record is damaged. Any other: it, or one of its files, cannot be read now, which says nothing
    /// of what is there.
    fn read(&self) -> io::Result<Record> {
        let path = self.root.join(RECORD);
        let of_record = |error: io::Error| {
            io::Error::new(error.kind(), format!("the record `{}`: {error}", path.display()))
        };
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Record::default()),
            bytes => bytes.map_err(of_record)?,
        };
        let record: Record = serde_json::from_slice(&bytes)
            .map_err(|error| of_record(io::Error::new(ErrorKind::InvalidData, error)))?;
        let mut there = Record::default();
        for committed in record.checkpoints {
            match fs::metadata(self.root.join(&committed.file)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                file => {
                    if file?.is_file() {
                        there.checkpoints.push(committed);
                    }
                }
            }
        }
        Ok(there)
    }

    fn write(&self, record: &Record) -> io::Result<()> {
        replace(&self.root.join(RECORD), &serde_json::to_vec_pretty(record)?)
    }

    /// Deletes from all attempts what `record` does not name, save what was set aside.
    fn clear(&self, record: &Record) -> io::Result<()> {
        for attempt in self.attempts()? {
            for file in fs::read_dir(&attempt)? {
                let file = file?;
                let is_file = file.file_type()?.is_file();
                let file = self.relative(&file.path());
                let named = record.checkpoints.iter().any(|committed| committed.file == file);
                if is_file && !named && !is_refused(&file) {
                    self.remove(&file)?;
                }
            }
            // Fails on a folder that still holds something, as it should.
            let _ = fs::remove_dir(attempt);
        }
        Ok(())
    }

    fn remove_if_empty(&self) -> io::Result<()> {
        for attempt in self.attempts()? {
            // Fails on a folder that holds something, as it should; so does the other one.
            let _ = fs::remove_dir(attempt);
        }
        let record = self.root.join(RECORD);
        if self.read()?.checkpoints.is_empty() && self.attempts()?.is_empty() && record.try_exists()? {
            fs::remove_file(record)?;
        }
        let _ = fs::remove_dir(&self.root);
        Ok(())
    }

    /// The folders of all attempts.
    fn attempts(&self) -> io::Result<Vec<PathBuf>> {
        let mut attempts = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() && entry.file_name() != PICTURES {
                attempts.push(entry.path());
            }
        }
        Ok(attempts)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        match fs::remove_file(self.root.join(file)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The name of a run's folder, as it is or as it will be. Where an earlier version left several, of several places in the
/// plan, it is the one with the newest checkpoint.
fn name_of(runs: &Path, sweep: &str, run: u64) -> io::Result<PathBuf> {
    let of_run = format!("-run{run}");
    let name = PathBuf::from(slug(sweep) + &of_run);
    if runs.join(&name).try_exists()? {
        return Ok(name);
    }
    let mut earlier = None;
    for entry in fs::read_dir(runs)? {
        let name = entry?.file_name();
        if !name.to_str().is_some_and(|name| name.ends_with(&of_run)) {
            continue;
        }
        let folder = RunFolder { root: runs.join(&name), attempt: PathBuf::new() };
        let step = match folder.resume() {
            Err(error) if error.kind() == ErrorKind::InvalidData => None,
            newest => newest?.map(|checkpoint| checkpoint.step),
        };
        earlier = earlier.max(Some((step, PathBuf::from(name))));
    }
    Ok(earlier.map_or(name, |(_, name)| name))
}

/// Removes the folders of runs that have neither a checkpoint nor a picture, nor anything else but an empty record. For
/// when no attempt is under way. A folder that cannot be read stays as it is.
pub(crate) fn remove_empty(runs: &Path) -> io::Result<()> {
    for entry in fs::read_dir(runs)? {
        let folder = RunFolder { root: entry?.path(), attempt: PathBuf::new() };
        if folder.root.is_dir()
            && let Err(error) = folder.remove_if_empty()
        {
            tracing::warn!("cannot tell whether `{}` is still needed: {error}", folder.root.display());
        }
    }
    Ok(())
}

fn is_refused(file: &Path) -> bool {
    file.extension() == Some(OsStr::new(REFUSED))
}

/// A sweep's name as part of a folder's name: what could mean something to a file system becomes `-`.
pub(crate) fn slug(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    name.chars().take(64).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASIS: Basis = Basis { attempt: 1, token: 5, last_seq: 0 };

    fn open(state: &Path, attempt: u32) -> RunFolder {
        let assignment = Assignment { sweep: "../up".into(), number: 3, ..Assignment::default() };
        RunFolder::open(&state.join("runs"), &assignment, Attempt { run: 7, number: attempt, token: 0 })
            .unwrap()
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
        assert!(first.attempt().ends_with("runs/---up-run7/attempt-1"));
        let [a, b, c, uncommitted] = [10, 20, 30, 40].map(|step| written(&first, step));
        for checkpoint in [&a, &b, &c, &c] {
            first.commit(checkpoint, BASIS).unwrap();
        }

        let second = open(state.path(), 2);
        assert_eq!(
            second.resume().unwrap().unwrap(),
            Checkpoint { step: 30, file: c.file.canonicalize().unwrap() }
        );
        assert!(!a.file.exists() && b.file.exists() && !uncommitted.file.exists());
    }

    #[test]
    fn a_checkpoint_is_resumed_from_only_if_the_database_still_holds_what_came_before() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        let first = Attempt { run: 7, number: 1, token: 5 };
        for (step, last_seq) in [(10, 2), (20, 4)] {
            folder.commit(&written(&folder, step), Basis::new(first, last_seq)).unwrap();
        }
        let held = |token, acked_seq| {
            let earlier_attempts = vec![EarlierAttempt { number: 1, token, acked_seq }];
            let attempt = Some(Attempt { run: 7, number: 2, token: 6 });
            let assignment = Assignment { attempt, earlier_attempts, ..Assignment::default() };
            folder.resumable(&assignment).unwrap().map(|checkpoint| checkpoint.step)
        };
        assert_eq!([held(5, 4), held(5, 3), held(5, 1)], [Some(20), Some(10), None]);
        assert_eq!(held(9, 4), None, "attempt 1 of another history");
        let of_0_1_0 = Assignment { attempt: Some(Attempt { token: 0, ..first }), ..Assignment::default() };
        assert_eq!(folder.resumable(&of_0_1_0).unwrap().unwrap().step, 20);
    }

    #[test]
    fn refused_checkpoints_are_set_aside_until_training_starts_from_scratch() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        let [a, b] = [10, 20].map(|step| written(&folder, step));
        folder.commit(&a, BASIS).unwrap();
        folder.commit(&b, BASIS).unwrap();
        folder.set_aside().unwrap();
        assert_eq!(open(state.path(), 2).resume().unwrap().unwrap().step, 10);
        folder.set_aside().unwrap();
        assert_eq!(open(state.path(), 3).resume().unwrap(), None);
        assert!(b.file.with_extension("safetensors.refused").exists());
    }

    #[test]
    fn a_completed_run_keeps_only_its_last_checkpoint() {
        let state = tempfile::tempdir().unwrap();
        let first = open(state.path(), 1);
        let old = written(&first, 10);
        first.commit(&old, BASIS).unwrap();
        let second = open(state.path(), 2);
        let last = written(&second, 20);
        second.commit(&last, BASIS).unwrap();
        second.keep_last(30).unwrap();
        assert!(old.file.exists(), "the last one is not there yet");
        second.keep_last(20).unwrap();
        assert!(last.file.exists() && !first.attempt().exists());
        assert_eq!(second.resume().unwrap().unwrap().step, 20);
    }

    #[test]
    fn voided_attempts_leave_nothing_to_resume_from() {
        let state = tempfile::tempdir().unwrap();
        let first = open(state.path(), 1);
        first.commit(&written(&first, 10), BASIS).unwrap();
        let second = open(state.path(), 2);
        second.void(0).unwrap();
        assert_eq!(second.resume().unwrap().unwrap().step, 10);
        second.commit(&written(&second, 20), BASIS).unwrap();
        second.void(1).unwrap();
        assert_eq!(second.resume().unwrap().unwrap().step, 20);
        let third = open(state.path(), 3);
        third.void(2).unwrap();
        assert_eq!(third.resume().unwrap(), None);
    }

    #[test]
    fn a_record_that_cannot_be_read_is_an_error_and_clears_nothing_away() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        let kept = written(&folder, 10);
        folder.commit(&kept, BASIS).unwrap();
        let (record, away) = (folder.root.join(RECORD), folder.root.join("away"));
        fs::rename(&record, &away).unwrap();
        // What the system says of this link is neither that nothing is there nor what is: as with a failing disk.
        std::os::unix::fs::symlink(RECORD, &record).unwrap();
        let assignment = Assignment { sweep: "../up".into(), number: 3, ..Assignment::default() };
        let second = Attempt { run: 7, number: 2, token: 0 };
        let refused = RunFolder::open(&state.path().join("runs"), &assignment, second).unwrap_err();
        assert!(refused.to_string().contains("resume.json"), "{refused}");

        fs::rename(away, record).unwrap();
        assert_eq!(open(state.path(), 2).resume().unwrap().unwrap().step, 10);
    }

    #[test]
    fn a_damaged_record_means_from_scratch_and_its_files_are_set_aside() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        let kept = written(&folder, 10);
        folder.commit(&kept, BASIS).unwrap();
        fs::write(folder.root.join(RECORD), "{").unwrap();
        for attempt in 2..4 {
            assert_eq!(open(state.path(), attempt).resume().unwrap(), None);
            assert!(kept.file.with_added_extension("refused").is_file());
            assert!(folder.root.join("resume.json.refused").is_file());
        }
    }

    #[test]
    fn a_run_keeps_its_folder_when_its_place_in_the_plan_moves_also_one_that_was_named_by_that_place() {
        let state = tempfile::tempdir().unwrap();
        let runs = state.path().join("runs");
        let at = |run, number| {
            let assignment = Assignment { sweep: "s".into(), number: run, ..Assignment::default() };
            RunFolder::open(&runs, &assignment, Attempt { run: 7, number, token: 0 }).unwrap()
        };
        for (step, name) in [(10, "s-4-run7"), (30, "s-12-run7"), (20, "s-8-run7"), (90, "s-4-run77")] {
            let attempt = runs.join(name).join("attempt-1");
            fs::create_dir_all(&attempt).unwrap();
            fs::write(attempt.join("step"), "weights").unwrap();
            let record = format!(r#"{{"checkpoints":[{{"step":{step},"file":"attempt-1/step"}}]}}"#);
            fs::write(runs.join(name).join(RECORD), record).unwrap();
        }
        assert_eq!(at(2, 2).resume().unwrap().unwrap().step, 30);
        for name in ["s-4-run7", "s-12-run7", "s-8-run7"] {
            fs::remove_dir_all(runs.join(name)).unwrap();
        }
        let folder = at(2, 3);
        folder.commit(&written(&folder, 40), BASIS).unwrap();
        assert_eq!(at(5, 4).resume().unwrap().unwrap().step, 40);
    }

    #[test]
    fn only_a_folder_without_checkpoints_and_pictures_is_removed() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        remove_empty(&state.path().join("runs")).unwrap();
        assert!(!folder.root.exists());
        let folder = open(state.path(), 2);
        let picture = folder.attempt().join("picture.png");
        fs::write(&picture, "").unwrap();
        folder.keep_artifact(&picture).unwrap();
        let kept = written(&folder, 10);
        folder.commit(&kept, BASIS).unwrap();
        remove_empty(&state.path().join("runs")).unwrap();
        assert!(kept.file.is_file() && folder.root.join("pictures/picture.png").is_file());
        fs::remove_file(&kept.file).unwrap();
        remove_empty(&state.path().join("runs")).unwrap();
        assert!(folder.root.join("pictures/picture.png").is_file() && !folder.attempt().exists());
        fs::remove_dir_all(folder.root.join("pictures")).unwrap();
        remove_empty(&state.path().join("runs")).unwrap();
        assert!(!folder.root.exists());
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
        assert!(second.holds(&second.attempt().join("missing")).is_err(), "the folder is the machine's");
    }
}
