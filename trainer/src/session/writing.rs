//! A checkpoint on its way to the disk, while training goes on.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use crate::checkpoint::{CheckpointError, Snapshot, file_name};

/// A checkpoint that a thread of its own hashes and writes.
#[derive(Debug)]
pub(super) struct Writing {
    step: u64,
    thread: JoinHandle<Result<PathBuf, CheckpointError>>,
}

impl Writing {
    /// Begins to write a checkpoint into `folder`.
    ///
    /// # Errors
    /// The machine has no further thread.
    pub(super) fn begin(snapshot: Snapshot, folder: PathBuf) -> Result<Writing, CheckpointError> {
        let (step, path) = (snapshot.step(), folder.join(file_name(snapshot.step())));
        let thread = thread::Builder::new().name("checkpoint".into());
        let thread = thread
            .spawn(move || snapshot.write(&folder))
            .map_err(|source| CheckpointError::Write { path, source })?;
        Ok(Writing { step, thread })
    }

    /// Whether the checkpoint is on the disk, or cannot be written.
    pub(super) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end; returns the step and the file.
    ///
    /// # Errors
    /// Those of [`Snapshot::write`].
    pub(super) fn wait(self) -> Result<(u64, PathBuf), CheckpointError> {
        let written = self.thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        written.map(|path| (self.step, path))
    }
}
