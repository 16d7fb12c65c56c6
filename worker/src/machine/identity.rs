//! Tells one machine from another.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A digest of what tells this machine from others, according to the system's files under `root`: the machine's number
/// and name; where it has no number, its name and the network cards that are part of it. Cards that are plugged in or
/// out, or make up their address, do not count.
pub(crate) fn machine(root: &Path) -> String {
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

/// The addresses of those cards that do not make up their address, in the order of the cards' names.
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

    /// The digest of a machine that has these files.
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
