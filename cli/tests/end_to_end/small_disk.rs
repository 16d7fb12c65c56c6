//! A disk of its own, in a mount namespace of its own, that has little room.

use std::process::{Command, Stdio};

use crate::{Ended, Place};

const SWEEP: &str = "
version: 1
name: small
parameters: {model: acai, dataset: lines32, depth: 2, latent: 2, latent_width: 2, batch: 32, total_kimg: 1, eval_kimg: 0.5}
seeds: 1
";

/// `$0` is the program, `$1` how large the disk is.
const ON_A_DISK: &str =
    "mkdir disk && mount -t tmpfs -o size=\"$1\" none disk && exec \"$0\" run small.yaml --state disk/state";

#[test]
fn acai_run_says_once_that_the_disk_gets_full_and_nothing_of_a_disk_with_room() {
    for (size, is_little) in [("40m", true), ("400m", false)] {
        let place = Place::new();
        place.file("small.yaml", SWEEP);
        let here = |script: &str| {
            let mut command = Command::new("unshare");
            command
                .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
                .args([env!("CARGO_BIN_EXE_acai"), size])
                .current_dir(place.path(""))
                .env("XDG_CONFIG_HOME", place.path("config"))
                .stdin(Stdio::null());
            command
        };
        if !here("mount -t tmpfs none .").output().is_ok_and(|mounted| mounted.status.success()) {
            assert!(std::env::var_os("CI").is_none(), "a mount namespace of one's own is needed");
            eprintln!("SKIPPED: no disk can be made small without a mount namespace of one's own");
            return;
        }
        let ended = Ended::from(here(ON_A_DISK).output().unwrap());
        let said = ended.stderr.matches("the disk of `disk/state` has ").count();
        assert_eq!(said, usize::from(is_little), "{size}: {ended:#?}");
        assert!(ended.ok().contains("lines32"), "the sweep is trained");
    }
}
