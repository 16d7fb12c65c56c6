//! The usual seeds, and that a seed is the same run each time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use acai_simulation::{Search, simulate_seeds};

const PROGRAM: &str = env!("CARGO_BIN_EXE_acai-simulate");
/// Where the whole logs of seeds that break a promise stay.
const LOGS: &str = env!("CARGO_TARGET_TMPDIR");

#[test]
fn a_seed_is_the_same_run_each_time_byte_for_byte_in_its_log() {
    let log = |seed: u64| {
        let folder = tempfile::tempdir().unwrap();
        // Down to each message on the network.
        let arguments = ["--one", &seed.to_string(), "--log", "info,turmoil=trace"];
        let output = Command::new(PROGRAM).args(arguments).current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (first, second) = (log(4), log(4));
    let lines = first.lines().zip(second.lines());
    let other = lines.enumerate().find(|(_, (first, second))| first != second);
    assert!(first.lines().count() > 10_000 && first == second, "the two logs differ: {other:?}");
}

/// This seed, which has broken a promise once, breaks none.
fn keeps_promises(seed: u64) {
    let search = Search {
        seeds: seed..seed + 1,
        jobs: 1,
        tries: 0,
        stops: true,
        within: Duration::MAX,
        logs: LOGS.into(),
    };
    let found = simulate_seeds(Path::new(PROGRAM), &search).unwrap();
    assert!(found.broken.is_empty(), "{}", found.broken[0].1);
}

#[test]
fn a_spool_whose_first_write_found_no_room_is_not_left_behind() {
    keeps_promises(4004);
}

#[test]
fn a_trainer_that_hangs_after_its_last_group_costs_the_run_that_it_is_given_next_nothing() {
    keeps_promises(5037);
}

#[test]
fn an_attempt_whose_number_was_used_before_the_database_was_put_back_keeps_its_checkpoints() {
    keeps_promises(30057);
}

#[test]
fn a_dead_worker_does_not_come_to_life_when_the_coordinators_clock_was_set_back() {
    keeps_promises(100_114);
}

#[test]
fn the_usual_seeds_break_no_promise() {
    let search = Search {
        seeds: 100..108,
        jobs: 2,
        tries: 80,
        stops: false,
        within: Duration::MAX,
        logs: LOGS.into(),
    };
    let found = simulate_seeds(Path::new(PROGRAM), &search).unwrap();
    let stories: Vec<String> = found.broken.into_iter().map(|(_, story)| story).collect();
    assert!(stories.is_empty(), "{}", stories.join("\n\n"));
    assert!(found.virtual_seconds > 8.0 * 300.0, "{} virtual seconds", found.virtual_seconds);
}

/// A cluster of two coordinators, and one of the other clusters of these seeds.
#[test]
fn two_coordinators_on_one_database_break_no_promise() {
    keeps_promises(200_000);
    keeps_promises(200_003);
}
