//! The usual seeds, and that a seed is the same run each time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use acai_simulation::{Search, simulate_seeds};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_acai-simulate");
/// Where the whole logs of seeds that break a promise stay.
const LOGS: &str = env!("CARGO_TARGET_TMPDIR");

/// The seed of a cluster with two coordinators, of which the second dies, and is cut off from agents.
const WITH_TWO_COORDINATORS: u64 = 200_006;

/// The seed of a cluster whose coordinators are started on other databases three times, and whose sweep is forgotten there once.
const WITH_OTHER_DATABASES: u64 = 300_015;

/// What is told of a seed that is simulated below this folder.
fn told(folder: &TempDir, seed: u64, log: &str) -> String {
    let folder = folder.path().join("empty");
    fs::create_dir(&folder).unwrap();
    let arguments = ["--one", &seed.to_string(), "--log", log];
    let output = Command::new(PROGRAM).args(arguments).current_dir(&folder).output().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_seed_is_the_same_run_each_time_byte_for_byte_in_its_log() {
    for seed in [4, WITH_TWO_COORDINATORS] {
        // Down to each message on the network. Some name files, so both are of one folder.
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = [(); 2].map(|()| told(&folder, seed, "info,turmoil=trace"));
        let lines = first.lines().zip(second.lines());
        let other = lines.enumerate().find(|(_, (first, second))| first != second);
        assert!(first.lines().count() > 10_000 && first == second, "seed {seed}: the logs differ: {other:?}");
    }
}

#[test]
fn an_outage_that_ends_while_an_agent_starts_is_as_long_as_it_was() {
    keeps_promises(100_313);
}

#[test]
fn two_coordinators_on_one_database_both_serve_and_break_no_promise() {
    let told = told(&tempfile::tempdir().unwrap(), WITH_TWO_COORDINATORS, "info");
    for happens in [
        "COORDINATORS: 2",
        "OtherCoordinatorCrashes",
        "OtherPartition",
        "coordinator is connected to",
        "coordinator-2 is connected to",
    ] {
        assert!(told.contains(happens), "{happens}");
    }
    assert!(told.contains("TOOK: ") && !told.contains("VIOLATION"), "{told}");
}

#[test]
fn agents_work_for_another_database_at_the_same_address_and_for_a_sweep_that_was_forgotten_and_submitted_again()
 {
    let told = told(&tempfile::tempdir().unwrap(), WITH_OTHER_DATABASES, "info");
    for happens in ["begins: Replaced", "now serves another database", "a sweep is forgotten"] {
        assert!(told.contains(happens), "{happens}");
    }
    assert!(told.contains("TOOK: ") && !told.contains("VIOLATION"), "{told}");
}

#[test]
fn a_worker_whose_coordinator_has_lost_the_database_goes_to_another_coordinator_before_it_loses_its_runs() {
    keeps_promises(300_024);
}

#[test]
fn a_backup_from_before_a_clock_was_set_a_day_forth_may_need_checkpoints_that_are_deleted() {
    keeps_promises(100_632);
}

#[test]
fn a_worker_that_was_forgotten_when_a_clock_was_set_a_month_forth_may_repeat_its_last_claim() {
    keeps_promises(100_962);
}

#[test]
fn a_picture_that_was_not_on_the_disk_when_the_power_failed_is_not_handed_over() {
    keeps_promises(400_229);
}

/// This seed, which raised an alarm once, breaks no promise.
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
fn a_machine_could_not_train_a_run_a_moment_ago_also_when_a_clock_that_was_set_back_comes_to_that_time() {
    keeps_promises(200_341);
}

#[test]
fn the_usual_seeds_break_no_promise() {
    let search = Search {
        seeds: 400_600..400_632,
        jobs: 2,
        tries: 80,
        stops: false,
        within: Duration::MAX,
        logs: LOGS.into(),
    };
    let found = simulate_seeds(Path::new(PROGRAM), &search).unwrap();
    let stories: Vec<String> = found.broken.into_iter().map(|(_, story)| story).collect();
    assert!(stories.is_empty(), "{}", stories.join("\n\n"));
    assert!(found.virtual_seconds > 32.0 * 300.0, "{} virtual seconds", found.virtual_seconds);
}
