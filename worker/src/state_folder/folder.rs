//! A state folder that is in use.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::layout::{DATABASE, LOCK, OTHERS, RUNS, SPOOL};
use super::origin::{Found, Origin};
use super::swap::{Swap, mend};
use crate::error::WorkerError;
use crate::machine::durable::replace;
use crate::run_folder::remove_empty;
use crate::spool::EXTENSION;

/// A state folder that this agent alone uses.
#[derive(Debug)]
pub(crate) struct StateFolder {
    root: PathBuf,
    /// The system releases the lock when the agent ends, however that happens.
    _lock: File,
}

impl StateFolder {
    /// Makes what is missing, for the folder's user alone, locks the folder, and finishes what a killed agent had begun
    /// in it. A copy is used only if it is to be adopted.
    pub(crate) fn open(path: &Path, adopt: bool) -> Result<Self, WorkerError> {
        let cannot_use = |source| WorkerError::State { path: path.to_owned(), source };
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700);
        let made = [RUNS, SPOOL].iter().try_for_each(|folder| private.create(path.join(folder)));
        let root = made.and_then(|()| path.canonicalize()).map_err(cannot_use)?;
        let lock = File::create(root.join(LOCK)).map_err(cannot_use)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(WorkerError::StateInUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(cannot_use(source)),
        }
        let folder = Self { root, _lock: lock };
        if !folder.settle_in(adopt).map_err(cannot_use)? {
            return Err(WorkerError::StateCopied { path: path.to_owned() });
        }
        Ok(folder)
    }

    /// Whether the folder may be used here. On another machine than before, and in a copy, another worker may have the
    /// folder's attempts by now: they are left to their leases.
    fn settle_in(&self, adopt: bool) -> io::Result<bool> {
        let here = Origin::of(&self.root)?;
        let recorded = Origin::recorded(&self.root)?;
        match recorded.as_ref().map_or(Found::Same, |recorded| here.found(recorded)) {
            Found::Same => {}
            Found::Copy if !adopt => return Ok(false),
            Found::Copy | Found::Elsewhere => {
                let dropped = self.drop_spools()?;
                tracing::warn!(
                    dropped,
                    "the state folder `{}` was used elsewhere before; attempts that were under way there are left to their leases, and their runs go on from their last checkpoints",
                    self.root.display()
                );
            }
        }
        if recorded.as_ref() != Some(&here) {
            here.record(&self.root)?;
        }
        if let Some(swap) = Swap::begun(&self.root)? {
            swap.finish(&self.root)?;
        }
        Ok(true)
    }

    /// Removes the spools of all databases; returns how many there were.
    fn drop_spools(&self) -> io::Result<u32> {
        let mut folders = vec![self.spools()];
        match fs::read_dir(self.root.join(OTHERS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            others => {
                for other in others? {
                    folders.push(other?.path().join(SPOOL));
                }
            }
        }
        let mut dropped = 0;
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            for file in fs::read_dir(folder)? {
                let file = file?.path();
                if file.extension().is_some_and(|extension| extension == EXTENSION) {
                    fs::remove_file(file)?;
                    dropped += 1;
                }
            }
        }
        Ok(dropped)
    }

    /// Whether a worker with this folder has ever reached a coordinator.
    pub(crate) fn has_served(&self) -> bool {
        self.root.join(DATABASE).is_file()
    }

    /// Makes this the folder of runs of this database: runs of another database are moved aside, and those of this one
    /// that were moved aside come back.
    pub(crate) fn serve(&self, database: &str) -> Result<(), WorkerError> {
        let swapped = self.swap(database).and_then(|()| remove_empty(&self.runs()));
        swapped.map_err(|source| WorkerError::State { path: self.root.clone(), source })
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
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return replace(&record, database.as_bytes());
            }
            known => known?,
        };
        mend(&self.root, &known)?;
        if known == database {
            return Ok(());
        }
        tracing::warn!(
            "the coordinator serves another database than before; runs of the last one are in `{}`",
            self.root.join(OTHERS).join(&known).display()
        );
        Swap { from: known, to: database.to_owned() }.finish(&self.root)
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
    fn each_database_finds_the_files_of_its_own_runs() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path(), false).unwrap();
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
        let first = StateFolder::open(folder.path(), false).unwrap();
        let refused = StateFolder::open(folder.path(), false).unwrap_err();
        assert!(matches!(refused, WorkerError::StateInUse { .. }), "{refused}");
        assert!(refused.to_string().contains("--state"), "{refused}");
        drop(first);
        StateFolder::open(folder.path(), false).unwrap();
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &target);
            } else {
                fs::copy(path, target).map(drop).unwrap();
            }
        }
    }

    #[test]
    fn a_copy_is_refused_until_it_is_adopted_and_then_touches_no_attempt_of_the_original() {
        let folder = tempfile::tempdir().unwrap();
        let (original, copied) = (folder.path().join("original"), folder.path().join("copy"));
        let state = StateFolder::open(&original, false).unwrap();
        state.serve("first").unwrap();
        for file in ["runs/model", "spool/run-7-attempt-1.spool"] {
            fs::write(original.join(file), "").unwrap();
        }
        state.serve("second").unwrap();
        fs::write(original.join("spool/run-9-attempt-1.spool"), "").unwrap();
        copy(&original, &copied);

        for adopt in [false, false] {
            let refused = StateFolder::open(&copied, adopt).unwrap_err();
            assert!(matches!(refused, WorkerError::StateCopied { .. }), "{refused}");
            assert!(refused.to_string().contains("--adopt"), "{refused}");
        }
        drop(StateFolder::open(&copied, true).unwrap());
        let adopted = StateFolder::open(&copied, false).unwrap();
        assert_eq!(fs::read_dir(adopted.spools()).unwrap().count(), 0);
        adopted.serve("first").unwrap();
        assert!(adopted.runs().join("model").exists(), "what was trained is kept");
        assert_eq!(fs::read_dir(adopted.spools()).unwrap().count(), 0);
        assert!(original.join("spool/run-9-attempt-1.spool").exists());
    }

    #[test]
    fn a_folder_that_is_moved_within_its_file_system_is_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (folder.path().join("before"), folder.path().join("after"));
        fs::write(StateFolder::open(&before, false).unwrap().spools().join("a.spool"), "").unwrap();
        fs::rename(before, &after).unwrap();
        let state = StateFolder::open(&after, false).unwrap();
        assert!(state.spools().join("a.spool").exists());
    }
}
