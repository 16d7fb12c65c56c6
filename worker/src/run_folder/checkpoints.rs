//! Which of a run's checkpoints on this machine a later attempt may continue from.

use std::io;

use acai_proto::v1::Assignment;

use super::basis::Basis;
use super::checkpoint::Checkpoint;
use super::cleanup::{clear, remove};
use super::folder::RunFolder;
use super::layout::attempt_of;
use super::record::{Committed, Record};
use super::set_aside;

/// Committed checkpoints to keep, so that there is another one when the newest turns out damaged.
const KEEP: usize = 2;

impl RunFolder {
    /// The newest committed checkpoint whose basis the coordinator's database still holds.
    pub(crate) fn resumable(&self, assignment: &Assignment) -> io::Result<Option<Checkpoint>> {
        // A coordinator of version 0.1.0 gives no tokens, and does not tell of earlier attempts.
        let tells = assignment.attempt.is_some_and(|attempt| attempt.token != 0);
        let is_held = |committed: &&Committed| {
            !tells || committed.basis.is_none_or(|basis| basis.is_held(&assignment.earlier_attempts))
        };
        let record = Record::read(&self.root)?;
        Ok(record.checkpoints.iter().find(is_held).map(|newest| newest.checkpoint(&self.root)))
    }

    /// Takes out of use what attempts up to `last` committed: a person wants training to start over.
    pub(crate) fn void(&self, last: u32) -> io::Result<()> {
        if last == 0 {
            return Ok(());
        }
        let mut record = Record::read(&self.root)?;
        let before = record.checkpoints.len();
        let is_later = |committed: &Committed| attempt_of(&committed.file).is_none_or(|number| number > last);
        record.checkpoints.retain(is_later);
        if record.checkpoints.len() == before {
            return Ok(());
        }
        record.write(&self.root)?;
        clear(&self.root, &record)
    }

    /// Makes `checkpoint` what a later attempt resumes from, and deletes all but the newest two.
    pub(crate) fn commit(&self, checkpoint: &Checkpoint, basis: Basis) -> io::Result<()> {
        let file = checkpoint.file.canonicalize()?;
        let file = file.strip_prefix(&self.root).map_err(io::Error::other)?.to_owned();
        let mut record = Record::read(&self.root)?;
        // An agent that takes up an attempt of a killed agent repeats what that agent did last.
        if record.names(&file) {
            return Ok(());
        }
        record.checkpoints.insert(0, Committed { step: checkpoint.step, file, basis: Some(basis) });
        let dropped = record.checkpoints.split_off(record.checkpoints.len().min(KEEP));
        record.write(&self.root)?;
        dropped.iter().try_for_each(|old| remove(&self.root.join(&old.file)))
    }

    /// Takes every committed checkpoint out of use.
    pub(crate) fn set_all_aside(&self) -> io::Result<()> {
        while !Record::read(&self.root)?.checkpoints.is_empty() {
            self.set_aside()?;
        }
        Ok(())
    }

    /// Takes the newest committed checkpoint out of use, because a trainer refused it. The file stays under another
    /// name, for people to look at.
    pub(crate) fn set_aside(&self) -> io::Result<()> {
        let mut record = Record::read(&self.root)?;
        if record.checkpoints.is_empty() {
            return Ok(());
        }
        // The file is renamed before the record is written: should there be no room for the record, the checkpoint is
        // not used either, since the file that the record names is not there.
        set_aside::set_aside(&self.root.join(record.checkpoints.remove(0).file))?;
        record.write(&self.root)
    }

    /// Deletes all checkpoints but the committed one of the run's last step, which is the trained model. Without that
    /// one all are kept.
    pub(crate) fn keep_last(&self, last_step: u64) -> io::Result<()> {
        let mut record = Record::read(&self.root)?;
        if record.checkpoints.first().is_none_or(|newest| newest.step != last_step) {
            return Ok(());
        }
        record.checkpoints.truncate(1);
        record.write(&self.root)?;
        clear(&self.root, &record)
    }
}

#[cfg(test)]
mod tests {
    use acai_proto::v1::{Attempt, EarlierAttempt};

    use super::*;
    use crate::run_folder::fixture::{basis, newest, open, written};

    #[test]
    fn a_later_attempt_resumes_from_the_newest_committed_checkpoint_and_two_are_kept() {
        let state = tempfile::tempdir().unwrap();
        let first = open(state.path(), 1);
        assert!(first.attempt().ends_with("runs/---up-3/attempt-1"));
        let [a, b, c, uncommitted] = [10, 20, 30, 40].map(|step| written(&first, step));
        for checkpoint in [&a, &b, &c, &c] {
            first.commit(checkpoint, basis()).unwrap();
        }

        let second = open(state.path(), 2);
        assert_eq!(newest(&second).unwrap(), Checkpoint { step: 30, file: c.file.canonicalize().unwrap() });
        assert!(!a.file.exists() && b.file.exists() && !uncommitted.file.exists());
    }

    #[test]
    fn a_checkpoint_is_resumed_from_only_if_the_database_still_holds_the_points_before_it() {
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
        assert_eq!(held(9, 4), None, "a token of another database");
        let of_0_1_0 = Assignment { attempt: Some(Attempt { token: 0, ..first }), ..Assignment::default() };
        assert_eq!(folder.resumable(&of_0_1_0).unwrap().unwrap().step, 20);
    }

    #[test]
    fn refused_checkpoints_are_set_aside_until_training_starts_from_scratch() {
        let state = tempfile::tempdir().unwrap();
        let folder = open(state.path(), 1);
        let [a, b] = [10, 20].map(|step| written(&folder, step));
        folder.commit(&a, basis()).unwrap();
        folder.commit(&b, basis()).unwrap();
        folder.set_aside().unwrap();
        assert_eq!(newest(&open(state.path(), 2)).unwrap().step, 10);
        folder.set_aside().unwrap();
        assert_eq!(newest(&open(state.path(), 3)), None);
        assert!(b.file.with_extension("safetensors.refused").exists());
    }

    #[test]
    fn a_completed_run_keeps_only_its_last_checkpoint() {
        let state = tempfile::tempdir().unwrap();
        let first = open(state.path(), 1);
        let old = written(&first, 10);
        first.commit(&old, basis()).unwrap();
        let second = open(state.path(), 2);
        let last = written(&second, 20);
        second.commit(&last, basis()).unwrap();
        second.keep_last(30).unwrap();
        assert!(old.file.exists(), "the checkpoint of the last step is not there yet");
        second.keep_last(20).unwrap();
        assert!(last.file.exists() && !first.attempt().exists());
        assert_eq!(newest(&second).unwrap().step, 20);
    }

    #[test]
    fn checkpoints_of_voided_attempts_are_not_resumed_from() {
        let state = tempfile::tempdir().unwrap();
        let first = open(state.path(), 1);
        first.commit(&written(&first, 10), basis()).unwrap();
        let second = open(state.path(), 2);
        second.void(0).unwrap();
        assert_eq!(newest(&second).unwrap().step, 10);
        second.commit(&written(&second, 20), basis()).unwrap();
        second.void(1).unwrap();
        assert_eq!(newest(&second).unwrap().step, 20);
        let third = open(state.path(), 3);
        third.void(2).unwrap();
        assert_eq!(newest(&third), None);
    }
}
