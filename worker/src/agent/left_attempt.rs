//! An attempt that a killed agent left, as its spool has it.

use std::io;
use std::path::Path;

use acai_proto::v1::{Attempt, Point};

use crate::machine::disk::leads_nowhere;
use crate::machine::process_identity::ProcessIdentity;
use crate::reporting::Outbox;
use crate::run_folder::{Checkpoint, RunFolder};
use crate::spool::{FinalWord, Record, Spool};

/// An attempt that nobody works on any more.
pub(super) struct LeftAttempt {
    pub(super) attempt: Attempt,
    pub(super) folder: RunFolder,
    /// The process that trained the attempt; it may still live.
    pub(super) trainer: Option<ProcessIdentity>,
    pub(super) spool: Spool,
    pub(super) outbox: Outbox,
    pub(super) word: Option<FinalWord>,
}

impl LeftAttempt {
    /// The attempt of the spool `path`, whose run has its folder in `runs`. None for a file that is damaged from its
    /// start on; it is deleted.
    pub(super) fn read(runs: &Path, path: &Path) -> io::Result<Option<Self>> {
        let (mut spool, records) = Spool::open(path)?;
        let mut records = records.into_iter();
        let Some(Record::Attempt { run, number, token, folder }) = records.next() else {
            spool.delete()?;
            return Ok(None);
        };
        let attempt = Attempt { run, number, token };
        let folder = RunFolder::reopen(runs, &folder, attempt)?;
        let records: Vec<Record> = records.collect();
        let outbox = Outbox::recovered(records.iter().find_map(before).unwrap_or_default());
        let mut left = Self { attempt, folder, trainer: None, spool, outbox, word: None };
        for record in records {
            left.take_in(record);
        }
        Ok(Some(left))
    }

    fn take_in(&mut self, record: Record) {
        match record {
            Record::Attempt { .. } => {}
            Record::Trainer(identity) => self.trainer = Some(identity),
            Record::Points { points, .. } => {
                for (name, step, value) in points {
                    self.outbox.progress(step);
                    self.outbox.push([Point { name, step, value }]);
                }
            }
            Record::Checkpoint { step, file, .. } => {
                let file = self.folder.file(&file);
                // The checkpoint may have been committed, and deleted since. A file that this machine cannot look at
                // may be there.
                if !file.metadata().is_err_and(|error| leads_nowhere(&error)) {
                    self.outbox.push_checkpoint(Checkpoint { step, file });
                }
            }
            Record::Final { word, .. } => self.word = Some(word),
        }
    }
}

/// Number of the last point before the record: earlier ones were settled and are not in the spool.
fn before(record: &Record) -> Option<u64> {
    match record {
        Record::Attempt { .. } | Record::Trainer(_) => None,
        Record::Points { first, .. } => Some(first - 1),
        Record::Checkpoint { after, .. } => Some(*after),
        Record::Final { last, .. } => Some(*last),
    }
}
