//! What tells a state folder from its copies.
//!
//! A copy has the spools of the original: its worker would end attempts, and kill trainers, that the original's worker is
//! at. A folder keeps its time of birth when it is renamed, and when its disk is mounted elsewhere or cloned; copied files
//! are born anew. Where the file system knows of no births, the folder's number tells.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::durable::replace;
use crate::process_identity::boot;

const RECORD: &str = "origin";

/// Which folder of which machine this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// Nanoseconds from 1970 to the folder's birth.
    born: Option<u128>,
    inode: u64,
    machine: String,
    /// Of the machine; none where there is no `/proc`.
    boot: Option<String>,
}

/// How a folder was found, as against how it was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The same folder, on the machine that used it last.
    Same,
    /// The same folder, or a clone of its disk, on another machine.
    Elsewhere,
    /// Another folder with the same files.
    Copy,
}

impl Origin {
    /// Of the folder as it is here and now.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(folder)?;
        let born = metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        let born = born.map(|born| born.as_nanos());
        Ok(Self { born, inode: metadata.ino(), machine: machine(), boot: boot() })
    }

    /// What was recorded in a folder; none before its first use.
    pub(super) fn recorded(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(RECORD);
        let damaged = |error: serde_json::Error| {
            let path = path.display();
            let message =
                format!("the record `{path}` is damaged ({error}); delete it if the folder is no copy");
            io::Error::new(ErrorKind::InvalidData, message)
        };
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            record => serde_json::from_slice(&record?).map(Some).map_err(damaged),
        }
    }

    pub(super) fn record(&self, folder: &Path) -> io::Result<()> {
        replace(&folder.join(RECORD), &serde_json::to_vec(self)?)
    }

    /// What this is, given what was recorded.
    pub(super) fn found(&self, recorded: &Self) -> Found {
        let is_same_folder = match (self.born, recorded.born) {
            (Some(now), Some(then)) => now == then,
            _ => self.inode == recorded.inode,
        };
        if !is_same_folder {
            return Found::Copy;
        }
        // After a restart of the machine everything else is as before.
        let is_same_boot = self.boot.is_some() && self.boot == recorded.boot;
        if is_same_boot || self.machine == recorded.machine { Found::Same } else { Found::Elsewhere }
    }
}

/// A digest of the machine's number, its name and its network cards, as far as they are known: clones of one disk tend to
/// have the first in common, not all.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cards = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let mut cards: Vec<PathBuf> =
        cards.map(|card| card.path()).filter(|card| card.join("device").exists()).collect();
    cards.sort();
    let mut hasher = Sha256::new();
    hasher.update(read("/etc/machine-id"));
    hasher.update(read("/proc/sys/kernel/hostname"));
    for card in cards {
        hasher.update(fs::read(card.join("address")).unwrap_or_default());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin { born: Some(1), inode: 7, machine: "a".into(), boot: Some("first".into()) }
    }

    #[test]
    fn a_folder_is_known_by_its_birth_and_a_machine_survives_its_restart() {
        let found = |change: fn(&mut Origin)| {
            let mut now = origin();
            change(&mut now);
            now.found(&origin())
        };
        assert_eq!(found(|_| {}), Found::Same);
        assert_eq!(found(|now| now.inode = 8), Found::Same);
        assert_eq!(found(|now| now.born = Some(2)), Found::Copy);
        assert_eq!(found(|now| now.born = None), Found::Same);
        assert_eq!(found(|now| (now.born, now.inode) = (None, 8)), Found::Copy);
        assert_eq!(found(|now| now.boot = Some("second".into())), Found::Same);
        assert_eq!(found(|now| now.machine = "renamed".into()), Found::Same);
        assert_eq!(
            found(|now| (now.machine, now.boot) = ("b".into(), Some("second".into()))),
            Found::Elsewhere
        );
        assert_eq!(found(|now| (now.machine, now.boot) = ("b".into(), None)), Found::Elsewhere);
    }
}
