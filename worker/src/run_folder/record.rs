//! The record of a run's committed checkpoints.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::basis::Basis;
use super::checkpoint::Checkpoint;
use super::layout::RECORD;
use crate::machine::durable::replace;

/// Contents of `resume.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// Newest first.
    pub(super) checkpoints: Vec<Committed>,
}

/// A checkpoint that a later attempt may continue from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Committed {
    pub(super) step: u64,
    /// Relative to the run's folder.
    pub(super) file: PathBuf,
    /// None in records of version 0.1.0.
    #[serde(default)]
    pub(super) basis: Option<Basis>,
}

impl Committed {
    /// The checkpoint in the run's folder `root`.
    pub(super) fn checkpoint(&self, root: &Path) -> Checkpoint {
        Checkpoint { step: self.step, file: root.join(&self.file) }
    }
}

impl Record {
    /// The checkpoints of the run's folder `root` that were committed and still exist.
    ///
    /// # Errors
    /// `InvalidData`: the record is damaged. Any other: the record, or one of its files, cannot be read now, which says
    /// nothing of what is there.
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        let mut there = Self::default();
        for committed in Self::read_all(&root.join(RECORD))?.checkpoints {
            match fs::metadata(root.join(&committed.file)) {
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

    fn read_all(path: &Path) -> io::Result<Self> {
        let of_record = |error: io::Error| {
            io::Error::new(error.kind(), format!("the record `{}`: {error}", path.display()))
        };
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            bytes => bytes.map_err(of_record)?,
        };
        serde_json::from_slice(&bytes)
            .map_err(|error| of_record(io::Error::new(ErrorKind::InvalidData, error)))
    }

    pub(super) fn write(&self, root: &Path) -> io::Result<()> {
        replace(&root.join(RECORD), &serde_json::to_vec_pretty(self)?)
    }

    /// Whether `file`, which is relative to the run's folder, was committed.
    pub(super) fn names(&self, file: &Path) -> bool {
        self.checkpoints.iter().any(|committed| committed.file == file)
    }
}
