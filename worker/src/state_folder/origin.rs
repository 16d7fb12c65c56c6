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

use crate::machine::durable::replace;
use crate::machine::process_identity::boot;

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
        Ok(Self { born, inode: metadata.ino(), machine: machine(Path::new("/")), boot: boot() })
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

/// A digest of what tells this machine from others, with the system's files under `root`: its number and its name; where it
/// has no number, its name and the network cards that are part of it. A card that is plugged in or out, or makes up its
/// address, is no other machine.
fn machine(root: &Path) -> String {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let number = read("etc/machine-id");
    let mut hasher = Sha256::new();
    hasher.update(&number);
    hasher.update(read("proc/sys/kernel/hostname"));
    if number.trim().is_empty() {
        for address in card_addresses(&root.join("sys/class/net")) {
            hasher.update(address);
        }
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of the cards whose addresses are their own, in the order of their names.
fn card_addresses(cards: &Path) -> Vec<String> {
    let is_own = |card: &Path| {
        let assigned = fs::read_to_string(card.join("addr_assign_type"));
        card.join("device").exists() && assigned.is_ok_and(|kind| kind.trim() == "0")
    };
    let cards = fs::read_dir(cards).into_iter().flatten().flatten();
    let mut cards: Vec<PathBuf> = cards.map(|card| card.path()).filter(|card| is_own(card)).collect();
    cards.sort();
    cards.iter().filter_map(|card| fs::read_to_string(card.join("address")).ok()).collect()
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

    /// A machine with these files.
    fn machine_with(files: &[(&str, &str)]) -> String {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        machine(root.path())
    }

    const HOST: (&str, &str) = ("proc/sys/kernel/hostname", "node\n");

    /// The files of a network card.
    fn card(name: &str, assigned: &str, address: &str) -> [(String, String); 3] {
        let file = |file: &str, text: &str| (format!("sys/class/net/{name}/{file}"), text.to_owned());
        [file("device/vendor", ""), file("addr_assign_type", assigned), file("address", address)]
    }

    fn with_card<'a>(files: &[(&'a str, &'a str)], card: &'a [(String, String)]) -> Vec<(&'a str, &'a str)> {
        files.iter().copied().chain(card.iter().map(|(file, text)| (&**file, &**text))).collect()
    }

    #[test]
    fn a_machine_with_a_number_is_the_same_whatever_network_cards_it_has() {
        let number = [("etc/machine-id", "0123\n"), HOST];
        let dock = card("eth1", "0\n", "02:00:00:00:00:01\n");
        assert_eq!(machine_with(&number), machine_with(&with_card(&number, &dock)));
        assert_ne!(machine_with(&number), machine_with(&[("etc/machine-id", "4567\n"), HOST]));
        assert_ne!(machine_with(&number), machine_with(&number[..1]));
    }

    #[test]
    fn a_machine_without_a_number_is_known_by_the_cards_whose_addresses_are_their_own() {
        for without in [vec![HOST], vec![HOST, ("etc/machine-id", "\n")]] {
            let machine = |card: &[(String, String)]| machine_with(&with_card(&without, card));
            let wireless = |address: &str| card("wlan0", "3\n", address);
            assert_eq!(machine(&wireless("02:aa\n")), machine(&wireless("02:bb\n")), "one that makes it up");
            let own = |address: &str| card("eth0", "0\n", address);
            assert_ne!(machine(&own("00:aa\n")), machine(&own("00:bb\n")));
        }
    }
}
