//! Tells a state folder from its copies.
//!
//! A copy has the spools of the original: the copy's worker would end attempts, and kill trainers, with which the
//! original's worker is busy. A folder keeps its time of birth when it is renamed, and when its disk is mounted
//! elsewhere or cloned; a copy has a time of birth of its own. Where the file system does not know these times, the
//! folder's inode number decides.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::machine::durable::replace;
use crate::machine::identity::machine;
use crate::machine::process_identity::boot;

const RECORD: &str = "origin";

/// Which folder of which machine this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// Nanoseconds from 1970 to the folder's birth.
    born: Option<u128>,
    inode: u64,
    machine: String,
    /// The id of the machine's last start; none where there is no `/proc`.
    boot: Option<String>,
}

/// What has become of a folder since it was last used.
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
    /// The origin of the folder as it is here and now.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(folder)?;
        let born = metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        let born = born.map(|born| born.as_nanos());
        Ok(Self { born, inode: metadata.ino(), machine: machine(Path::new("/")), boot: boot() })
    }

    /// The origin that was recorded in a folder; none before its first use.
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

    /// What has become of the folder, if this is its origin now.
    pub(super) fn found(&self, recorded: &Self) -> Found {
        let is_same_folder = match (self.born, recorded.born) {
            (Some(now), Some(then)) => now == then,
            _ => self.inode == recorded.inode,
        };
        if !is_same_folder {
            return Found::Copy;
        }
        // A machine that was restarted has another boot, and everything else is as before.
        let is_same_boot = self.boot.is_some() && self.boot == recorded.boot;
        if is_same_boot || self.machine == recorded.machine { Found::Same } else { Found::Elsewhere }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin { born: Some(1), inode: 7, machine: "a".into(), boot: Some("first".into()) }
    }

    #[test]
    fn a_folder_is_known_by_its_time_of_birth_and_its_machine_by_its_boot_or_its_identity() {
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
