//! What each client was told, in the order in which it was told: the evidence that the store is held against.

mod deaths;
mod entry;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use deaths::Deaths;
pub use entry::{AttemptId, Ending, Entry, Origin, Point, Restore, What};

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
