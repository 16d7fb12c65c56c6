//! What each client was told, in the order in which it was told: the evidence that the store is held against.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::check::deaths::Deaths;

/// One execution of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptId {
    /// The run.
    pub run: u64,
    /// From 1.
    pub number: u32,
    /// Random: tells it from one of the same number in another state of the database.
    pub token: u64,
}

impl AttemptId {
    /// Those that a run can have, in the order of their numbers.
    #[must_use]
    pub fn all_of(run: u64) -> RangeInclusive<AttemptId> {
        AttemptId { run, number: 0, token: 0 }..=AttemptId { run, number: u32::MAX, token: u64::MAX }
    }
}

/// The database was replaced by a backup of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Place of the backup's beginning in the order of all sendings and answers: what was answered before is in it.
    pub backup: u64,
    /// Place of the restoration: no request was under way, and no coordinator ran.
    pub restored: u64,
}

impl Restore {
    /// Whether what was answered at this place may be forgotten since.
    #[must_use]
    pub fn forgets(&self, answered: u64) -> bool {
        self.backup < answered && answered < self.restored
    }
}

/// A point of a metric, to the last bit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Point {
    /// The metric.
    pub name: String,
    /// Training steps done.
    pub step: u64,
    /// The value's 64 bits.
    pub bits: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All steps trained.
    Completed,
    /// By the run's fault, to be repeated.
    Failed,
    /// A loss became NaN or infinite.
    Diverged,
    /// Handed back.
    Released,
}

impl Ending {
    /// As `attempts.outcome` has it.
    #[must_use]
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Diverged => "diverged",
            Self::Released => "released",
        }
    }
}

/// Why a request was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A worker sent it.
    Worker,
    /// A copy of one that a worker sent.
    Duplicate,
    /// An old request of an attempt that is dead, sent on purpose.
    Zombie,
}

/// An answer of a coordinator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A claim was granted these attempts.
    Granted {
        /// Chosen by the worker.
        claim: String,
        /// What it got.
        attempts: Vec<AttemptId>,
    },
    /// Leases were extended, save those that are not held any more.
    Renewed {
        /// Those asked for.
        attempts: Vec<AttemptId>,
        /// Those not held.
        fenced: Vec<AttemptId>,
    },
    /// Points were acknowledged.
    Reported {
        /// Whose.
        attempt: AttemptId,
        /// Number of the first point.
        first_seq: u64,
        /// All points to this number are durable.
        acked_seq: u64,
        /// What was sent.
        points: Vec<Point>,
    },
    /// A checkpoint became what the run resumes from.
    Committed {
        /// Whose.
        attempt: AttemptId,
        /// Steps done.
        step: u64,
        /// Its digest.
        sha256: String,
    },
    /// There was no room for a checkpoint on the coordinators' disk.
    NoRoom {
        /// Whose.
        attempt: AttemptId,
    },
    /// A checkpoint was taken out of use.
    Rejected {
        /// By whom.
        attempt: AttemptId,
        /// Its digest.
        sha256: String,
    },
    /// Another write was accepted.
    Accepted {
        /// Whose.
        attempt: AttemptId,
        /// Which call.
        call: String,
    },
    /// An attempt's end was acknowledged.
    Ended {
        /// Which attempt.
        attempt: AttemptId,
        /// How.
        ending: Ending,
    },
    /// A write was refused for good.
    Refused {
        /// Whose.
        attempt: AttemptId,
        /// Which call.
        call: String,
        /// Because the attempt does not hold its run (`FAILED_PRECONDITION`).
        fenced: bool,
        /// The coordinator's words.
        message: String,
    },
}

/// One answer, with its place among all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Since the session's start.
    pub at_ms: u64,
    /// Place of the request's sending in the order of all sendings and answers.
    pub sent: u64,
    /// Place of the answer in it.
    pub answered: u64,
    /// Whose proxy it went through.
    pub worker: usize,
    /// Why it was sent.
    pub origin: Origin,
    /// Whether the answer was passed on.
    pub told: bool,
    /// The answer.
    #[serde(flatten)]
    pub what: What,
}

/// The journal of a session: in memory, and as JSON lines in a file for people.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    start: Instant,
    order: AtomicU64,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    file: BufWriter<File>,
    entries: Vec<Entry>,
    restores: Vec<Restore>,
    deaths: Deaths,
    figures: Figures,
}

/// What progress lines show.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Points acknowledged, those of repeated requests once more.
    pub points: u64,
    /// Writes refused because their attempt does not hold its run.
    pub fenced: u64,
}

impl Journal {
    /// Begins a journal.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let written = Written {
            file: BufWriter::new(File::create(path)?),
            entries: Vec::new(),
            restores: Vec::new(),
            deaths: Deaths::default(),
            figures: Figures::default(),
        };
        let (order, start) = (AtomicU64::new(0), Instant::now());
        Ok(Journal { path: path.to_owned(), start, order, written: Mutex::new(written) })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next place in the order of all sendings and answers.
    pub fn tick(&self) -> u64 {
        self.order.fetch_add(1, Ordering::SeqCst)
    }

    /// Notes an answer to a request sent at `sent`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn record(&self, sent: u64, worker: usize, origin: Origin, told: bool, what: What) -> io::Result<()> {
        let answered = self.tick();
        let at_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let entry = Entry { at_ms, sent, answered, worker, origin, told, what };
        let mut written = self.written();
        serde_json::to_writer(&mut written.file, &entry)?;
        written.file.write_all(b"\n")?;
        match &entry.what {
            What::Reported { points, .. } => written.figures.points += points.len() as u64,
            What::Refused { fenced: true, .. } => written.figures.fenced += 1,
            _ => {}
        }
        written.deaths.note(&entry);
        written.entries.push(entry);
        Ok(())
    }

    /// Notes that the database was replaced by its backup of the place `backup`, at a moment at which no request is under
    /// way.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn restored(&self, backup: u64) -> io::Result<()> {
        let restore = Restore { backup, restored: self.tick() };
        let mut written = self.written();
        let written = &mut *written;
        serde_json::to_writer(&mut written.file, &restore)?;
        written.file.write_all(b"\n")?;
        written.restores.push(restore);
        // Who died after the backup may live again.
        written.deaths = Deaths::default();
        let is_forgotten =
            |entry: &Entry| written.restores.iter().any(|restore| restore.forgets(entry.answered));
        written
            .entries
            .iter()
            .filter(|entry| !is_forgotten(entry))
            .for_each(|entry| written.deaths.note(entry));
        Ok(())
    }

    /// Whether the attempt is known to be dead.
    pub fn is_dead(&self, attempt: AttemptId) -> bool {
        self.written().deaths.of(attempt).is_some()
    }

    /// For progress lines.
    pub fn figures(&self) -> Figures {
        self.written().figures
    }

    /// Every time that the database was replaced by a backup, in their order.
    pub fn restores(&self) -> Vec<Restore> {
        self.written().restores.clone()
    }

    /// All entries, with the file complete.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn close(&self) -> io::Result<Vec<Entry>> {
        let mut written = self.written();
        written.file.flush()?;
        Ok(std::mem::take(&mut written.entries))
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
