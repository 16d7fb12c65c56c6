//! The folder of one worker's own files.
//!
//! ```text
//! <state>/
//!   worker.lock   held by the agent for as long as it lives
//!   database      the coordinator's database that all of this belongs to
//!   runs/         checkpoints and trained models (see `checkpoints`)
//!   spool/        what attempts reported and nobody acknowledged (see `spool`)
//!   others/<id>/  `runs` and `spool` of other databases: their runs have the same numbers
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::WorkerError;

const LOCK: &str = "worker.lock";
const RUNS: &str = "runs";
const SPOOL: &str = "spool";
const DATABASE: &str = "database";
const OTHERS: &str = "others";

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

    /// Whether a coordinator has been reached with it.
    pub(crate) fn has_served(&self) -> bool {
        self.root.join(DATABASE).is_file()
    }

    /// Makes it the folder of runs of this database: what is of another one is set aside, what was set aside of this one
    /// comes back.
    pub(crate) fn serve(&self, database: &str) -> Result<(), WorkerError> {
        self.swap(database).map_err(|source| WorkerError::State { path: self.root.clone(), source })
    }

    fn swap(&self, database: &str) -> io::Result<()> {
        if database.is_empty() || database.len() > 64 || !database.chars().all(|c| c.is_ascii_alphanumeric())
        {
            return Err(io::Error::other(format!(
                "the coordinator's database has no name but `{}`",
                database.escape_debug()
            )));
        }
        let record = self.root.join(DATABASE);
        let known = match fs::read_to_string(&record) {
            Ok(known) => Some(known),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if known.as_deref() == Some(database) {
            return Ok(());
        }
        if let Some(known) = known {
            let others = self.root.join(OTHERS);
            tracing::warn!(
                "the coordinator serves another database than before; runs of the last one are in `{}`",
                others.join(&known).display()
            );
            for folder in [RUNS, SPOOL] {
                exchange(
                    &self.root.join(folder),
                    &others.join(&known).join(folder),
                    &others.join(database).join(folder),
                )?;
            }
        }
        // Last: after a crash before this it is done again.
        let temporary = self.root.join(format!("{DATABASE}.tmp"));
        fs::write(&temporary, database)?;
        fs::rename(temporary, record)
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

/// Moves `folder` to `aside`, and `back` to `folder`, where they hold anything.
fn exchange(folder: &Path, aside: &Path, back: &Path) -> io::Result<()> {
    // Only an empty folder can be removed.
    if fs::remove_dir(folder).is_err() {
        fs::create_dir_all(aside.parent().unwrap_or(aside))?;
        fs::rename(folder, aside)?;
    }
    if back.exists() { fs::rename(back, folder) } else { fs::create_dir(folder) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_finds_what_is_of_its_own_runs() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path()).unwrap();
        let files =
            || fs::read_dir(state.runs()).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
        let add = |name: &str| fs::write(state.runs().join(name), "").unwrap();
        add("of an earlier version");
        state.serve("first").unwrap();
        assert_eq!(files(), ["of an earlier version"]);
        state.serve("second").unwrap();
        assert_eq!(files(), [""; 0]);
        state.serve("first").unwrap();
        assert_eq!(files(), ["of an earlier version"]);
        state.serve("second").unwrap();
        add("of the second");
        for _ in 0..2 {
            state.serve("first").unwrap();
            assert_eq!(files(), ["of an earlier version"]);
            state.serve("second").unwrap();
            assert_eq!(files(), ["of the second"]);
        }
        assert!(state.serve("../first").is_err());
    }

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
