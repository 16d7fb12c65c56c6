//! The folder of one worker's own files.
//!
//! ```text
//! <state>/
//!   worker.lock   held by the agent for as long as it lives
//!   runs/         checkpoints and trained models (see `checkpoints`)
//!   spool/        what attempts reported and nobody acknowledged (see `spool`)
//! ```

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::WorkerError;

const LOCK: &str = "worker.lock";
const RUNS: &str = "runs";
const SPOOL: &str = "spool";

/// A state folder that this agent alone uses.
#[derive(Debug)]
pub(crate) struct StateFolder {
    root: PathBuf,
    /// The system releases it when the agent ends, however it does.
    _lock: File,
}

impl StateFolder {
    /// Makes what is missing, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, WorkerError> {
        let cannot_use = |source| WorkerError::State { path: path.to_owned(), source };
        let made = [RUNS, SPOOL].iter().try_for_each(|folder| fs::create_dir_all(path.join(folder)));
        let root = made.and_then(|()| path.canonicalize()).map_err(cannot_use)?;
        let lock = File::create(root.join(LOCK)).map_err(cannot_use)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(WorkerError::StateInUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(cannot_use(source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join(RUNS)
    }

    pub(crate) fn spools(&self) -> PathBuf {
        self.root.join(SPOOL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_serves_one_worker_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = StateFolder::open(folder.path()).unwrap();
        let refused = StateFolder::open(folder.path()).unwrap_err();
        assert!(matches!(refused, WorkerError::StateInUse { .. }), "{refused}");
        assert!(refused.to_string().contains("--state"), "{refused}");
        drop(first);
        StateFolder::open(folder.path()).unwrap();
    }
}
