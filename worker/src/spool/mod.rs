//! The durable history of one attempt: `<state>/spool/run-<id>-attempt-<n>.spool`.
//!
//! A trainer's reports are appended here before they are sent, so that an agent that is killed and started again can
//! deliver the reports that nobody acknowledged. A spool belongs to one attempt and is never replayed under another:
//! the next attempt trains that stretch again.
//!
//! **When is a record on the disk?** A write puts it into the system's page cache, which survives the death of this
//! process; that is all that points need. A machine that loses power loses its trainers as well, and the points since
//! the last checkpoint are trained again. So only milestones are synced, with everything before them: each checkpoint,
//! before it may be committed, and the final word.
//!
//! All calls block on the disk.

mod record;

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use acai_proto::v1::Attempt;

pub(crate) use record::{FinalWord, OwnFault, Record};

/// File name extension of spools.
pub(crate) const EXTENSION: &str = "spool";
/// How many bytes of settled records the file may hold before it is written anew without them.
const WASTE: u64 = 1 << 20;

/// How far an attempt has come with the coordinator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// All points up to this number are acknowledged.
    pub(crate) acked: u64,
    /// Nothing is left to do for this many checkpoints, counted from the first one in this spool.
    pub(crate) checkpoints: u64,
}

/// An attempt's spool. The first append makes its file, so that a full disk is an error of appending only.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    file: Option<File>,
    /// The records at the start of the file, which stay for as long as there is a file.
    head: Vec<u8>,
    /// Where the next record goes. Bytes behind this offset are of a write that failed, and will be overwritten.
    end: u64,
    /// The records at the end of the file that may still be needed, with their lengths in bytes.
    kept: VecDeque<(Until, u64)>,
    /// Checkpoints so far.
    checkpoints: u64,
    /// The attempt has ended, and a late write must not make the file again.
    deleted: bool,
}

/// Until when a record is needed.
#[derive(Debug, Clone, Copy)]
enum Until {
    /// All points up to this number are acknowledged.
    Acked(u64),
    /// This many checkpoints are settled.
    Checkpoint(u64),
    /// The attempt has ended.
    End,
}

impl Spool {
    /// The spool of an attempt that begins, in `folder`.
    pub(crate) fn new(folder: &Path, attempt: Attempt, run_folder: PathBuf) -> io::Result<Self> {
        let Attempt { run, number, token } = attempt;
        let mut head = Vec::new();
        Record::Attempt { run, number, token, folder: run_folder }.encode(&mut head)?;
        Ok(Self {
            path: folder.join(format!("run-{run}-attempt-{number}.{EXTENSION}")),
            file: None,
            head,
            end: 0,
            kept: VecDeque::new(),
            checkpoints: 0,
            deleted: false,
        })
    }

    /// Opens the spool that an earlier agent left, and cuts off what follows the last whole record.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<Record>)> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let decoded = record::decode(&fs::read(path)?);
        let end = decoded.iter().map(|(_, length)| length).sum();
        file.set_len(end)?;
        let mut spool = Self {
            path: path.to_owned(),
            file: Some(file),
            head: Vec::new(),
            end,
            kept: VecDeque::new(),
            checkpoints: 0,
            deleted: false,
        };
        let mut records = Vec::with_capacity(decoded.len());
        for (record, length) in decoded {
            spool.keep(&record, length)?;
            records.push(record);
        }
        Ok((spool, records))
    }

    /// Appends `records`; all of them or, on an error, none: the next append overwrites the remains.
    pub(crate) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        if self.deleted {
            return Err(io::Error::other("the attempt has ended"));
        }
        let mut bytes = Vec::new();
        let lengths =
            records.iter().map(|record| record.encode(&mut bytes)).collect::<io::Result<Vec<u64>>>()?;
        let file = match &self.file {
            Some(file) => file,
            None => {
                let file =
                    OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&self.path)?;
                file.write_all_at(&self.head, 0)?;
                // The file's name has to survive whatever its synced milestones survive.
                self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
                self.end = self.head.len() as u64;
                self.file.insert(file)
            }
        };
        file.write_all_at(&bytes, self.end)?;
        if records.iter().any(Record::is_milestone) {
            file.sync_data()?;
        }
        self.end += bytes.len() as u64;
        records.iter().zip(lengths).try_for_each(|(record, length)| self.keep(record, length))
    }

    /// Forgets settled records. The file is written anew when most of it is of no use, so that it is not longer than
    /// about twice the records that are not settled.
    pub(crate) fn trim(&mut self, settled: Settled) -> io::Result<()> {
        self.forget(settled);
        if self.waste() >= WASTE.max(self.end / 2) { self.rewrite() } else { Ok(()) }
    }

    /// Forgets settled records, and makes the file as short as it can be. For when the disk is full.
    pub(crate) fn shorten(&mut self, settled: Settled) -> io::Result<()> {
        self.forget(settled);
        if self.waste() > 0 { self.rewrite() } else { Ok(()) }
    }

    fn forget(&mut self, settled: Settled) {
        while let Some((until, _)) = self.kept.front()
            && match *until {
                Until::Acked(last) => last <= settled.acked,
                Until::Checkpoint(count) => count <= settled.checkpoints,
                Until::End => false,
            }
        {
            self.kept.pop_front();
        }
    }

    fn kept_bytes(&self) -> u64 {
        self.kept.iter().map(|(_, length)| length).sum()
    }

    fn waste(&self) -> u64 {
        self.end.saturating_sub(self.head.len() as u64 + self.kept_bytes())
    }

    /// Removes the file.
    pub(crate) fn delete(&mut self) -> io::Result<()> {
        self.deleted = true;
        self.file = None;
        // A write that failed may have left a file that this spool does not have open, or one to take its place.
        for path in [self.path.with_extension("tmp"), self.path.clone()] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let kept = self.kept_bytes();
        let Some(file) = &self.file else { return Ok(()) };
        let mut bytes = self.head.clone();
        bytes.resize(self.head.len() + kept as usize, 0);
        file.read_exact_at(&mut bytes[self.head.len()..], self.end - kept)?;
        let temporary = self.path.with_extension("tmp");
        let anew = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&temporary)?;
        anew.write_all_at(&bytes, 0)?;
        // The new file takes the place of one that may hold synced milestones.
        anew.sync_data()?;
        fs::rename(&temporary, &self.path)?;
        self.file = Some(anew);
        self.end = bytes.len() as u64;
        Ok(())
    }

    fn keep(&mut self, record: &Record, length: u64) -> io::Result<()> {
        let until = match record {
            // These records come before all others, so the kept records stay in one piece at the end of the file.
            Record::Attempt { .. } | Record::Trainer(_) => {
                record.encode(&mut self.head)?;
                return Ok(());
            }
            Record::Points { first, points } => Until::Acked(first + points.len() as u64 - 1),
            Record::Checkpoint { .. } => {
                self.checkpoints += 1;
                Until::Checkpoint(self.checkpoints)
            }
            Record::Final { .. } => Until::End,
        };
        self.kept.push_back((until, length));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTEMPT: Attempt = Attempt { run: 7, number: 2, token: 3 };

    fn begin(folder: &Path) -> Spool {
        Spool::new(folder, ATTEMPT, "lines-7-run7".into()).unwrap()
    }

    fn point(number: u64) -> Record {
        Record::Points { first: number, points: vec![("train/loss".into(), number, 0.5)] }
    }

    fn checkpoint(step: u64) -> Record {
        Record::Checkpoint { step, file: format!("attempt-2/step-{step}").into(), after: step }
    }

    fn header() -> Record {
        Record::Attempt { run: 7, number: 2, token: 3, folder: "lines-7-run7".into() }
    }

    fn file(folder: &Path) -> PathBuf {
        folder.join("run-7-attempt-2.spool")
    }

    #[test]
    fn a_torn_last_record_is_cut_off_at_any_length_and_appending_goes_on_behind_the_whole_records() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = begin(folder.path());
        spool.append(&[point(1)]).unwrap();
        let before = spool.end;
        spool.append(&[point(2)]).unwrap();
        let whole = fs::read(file(folder.path())).unwrap();
        for end in before..whole.len() as u64 {
            fs::write(file(folder.path()), &whole[..end as usize]).unwrap();
            let (mut spool, records) = Spool::open(&file(folder.path())).unwrap();
            assert_eq!(records, [header(), point(1)], "cut at byte {end}");
            spool.append(&[checkpoint(1)]).unwrap();
            let (_, records) = Spool::open(&file(folder.path())).unwrap();
            assert_eq!(records, [header(), point(1), checkpoint(1)], "cut at byte {end}");
        }
    }

    #[test]
    fn what_a_first_write_leaves_that_found_no_room_is_deleted_with_the_spool() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = begin(folder.path());
        fs::write(file(folder.path()), "").unwrap();
        spool.delete().unwrap();
        assert!(!file(folder.path()).exists());
        begin(folder.path()).delete().unwrap();
    }

    #[test]
    fn the_file_is_not_much_longer_than_its_unsettled_records() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = begin(folder.path());
        let points = |first: u64| Record::Points {
            first,
            points: (first..first + 1000).map(|step| ("train/loss".into(), step, 0.5)).collect(),
        };
        let mut longest = 0;
        for batch in 0..200 {
            spool.append(&[points(batch * 1000 + 1)]).unwrap();
            spool.trim(Settled { acked: batch * 1000, checkpoints: 0 }).unwrap();
            longest = longest.max(fs::metadata(file(folder.path())).unwrap().len());
        }
        assert!(longest < 2 * WASTE, "{longest} bytes");
        let (_, records) = Spool::open(&file(folder.path())).unwrap();
        assert_eq!(records.first(), Some(&header()));
        assert_eq!(records.last(), Some(&points(199_001)));
    }

    #[test]
    fn a_checkpoint_and_all_records_after_it_are_kept_until_the_checkpoint_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = begin(folder.path());
        spool.append(&[point(1), checkpoint(1), point(2)]).unwrap();
        spool.trim(Settled { acked: 2, checkpoints: 0 }).unwrap();
        assert_eq!(spool.kept.len(), 2);
        spool.trim(Settled { acked: 2, checkpoints: 1 }).unwrap();
        assert_eq!(spool.kept.len(), 0);
    }

    #[test]
    fn an_append_that_failed_leaves_nothing_behind_once_the_next_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = begin(folder.path());
        spool.append(&[point(1)]).unwrap();
        let writable = spool.file.replace(File::open(file(folder.path())).unwrap());
        spool.append(&[point(2)]).unwrap_err();
        // A full disk leaves a part of the record behind.
        writable.as_ref().unwrap().write_all_at(&[1; 40], spool.end).unwrap();
        spool.file = writable;
        spool.append(&[point(2), point(3)]).unwrap();
        let (_, records) = Spool::open(&file(folder.path())).unwrap();
        assert_eq!(records, [header(), point(1), point(2), point(3)]);
    }

    #[test]
    fn a_spool_that_was_never_written_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        begin(folder.path()).delete().unwrap();
        assert!(!file(folder.path()).exists());
        let mut spool = begin(folder.path());
        spool.append(&[point(1)]).unwrap();
        spool.delete().unwrap();
        assert!(!file(folder.path()).exists());
        spool.append(&[point(2)]).unwrap_err();
        assert!(!file(folder.path()).exists());
    }
}
