//! The folder of `acai run` answers every question, during a run, after it, and when it was moved.

use std::fs;

use serde_json::Value;

use crate::submitting::TRAINER;
use crate::{Place, eventually, free_address};

const TWO: &str = "
version: 1
name: two
parameters: {model: acai, dataset: lines32, lambda: [0.1, 0.5], batch: 64, total_kimg: 1}
";

/// A trainer that goes on until it is told to stop.
const PATIENT: &str = r#"#!/usr/bin/env python3
import json, sys
print(json.dumps({"event": "ready", "version": "0", "device": "cpu", "threads": 1, "libtorch": "none"}), flush=True)
for line in sys.stdin:
    command = json.loads(line)
    if command["command"] == "start":
        runs = [member["run"] for member in command["group"]]
        for run in runs:
            print(json.dumps({"event": "metric", "run": run, "step": 1, "values": {"train/loss": 0.5}}), flush=True)
    if command["command"] in ("stop", "shutdown"):
        for run in [command["run"]] if command["command"] == "stop" else runs:
            print(json.dumps({"event": "stopped", "run": run, "step": 1}), flush=True)
        sys.exit(0)
"#;

fn trained() -> Place {
    let place = Place::new();
    place.file("two.yaml", TWO);
    place.program("trainer", TRAINER);
    place.run(&["run", "two.yaml", "--trainer", "./trainer", "--slots", "1"]).ok();
    place
}

/// Every command that only reads.
const QUESTIONS: [&[&str]; 10] = [
    &["ls"],
    &["status", "two"],
    &["runs", "two"],
    &["results", "two"],
    &["metrics", "two"],
    &["artifacts", "ls", "two"],
    &["watch", "two", "--after", "0", "--once"],
    &["explain", "two/0"],
    &["show", "two/0"],
    &["workers"],
];

#[test]
fn after_a_run_every_question_is_answered_from_its_folder_which_does_not_change() {
    let place = trained();
    let database = || fs::read(place.path(".acai/acai.db")).unwrap();
    let before = database();
    for question in QUESTIONS {
        place.run(question).ok();
        let elsewhere =
            place.acai(question).current_dir("/").args(["--coordinator"]).arg(place.path(".acai")).output();
        assert!(elsewhere.unwrap().status.success(), "{question:?}");
    }
    let runs: Value = serde_json::from_str(&place.run(&["runs", "two", "--format", "json"]).ok()).unwrap();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2);

    for change in [
        &["cancel", "two"][..],
        &["pause", "two"],
        &["set", "two", "--priority", "1"],
        &["submit", "two.yaml"],
    ] {
        let refused = place.run(change);
        assert_eq!(refused.code, Some(1), "{refused:#?}");
        assert!(
            refused.stderr.contains("`acai coordinator --db sqlite:.acai/acai.db` serves it"),
            "{refused:#?}"
        );
    }
    assert!(database() == before, "reading changes nothing");
    let missing = place.run(&["ls", "--coordinator", "nowhere"]);
    assert!(
        missing.stderr.contains("there is no `nowhere`") && !place.path("nowhere").exists(),
        "{missing:#?}"
    );
}

#[test]
fn during_a_run_another_terminal_is_answered_and_can_change_what_is_queued() {
    let place = Place::new();
    place.file("two.yaml", TWO);
    place.program("trainer", PATIENT);
    let running = place.start(&["run", "two.yaml", "--trainer", "./trainer", "--slots", "1"]);
    eventually("a run is trained", || {
        let table = place.run(&["metrics", "two"]);
        table.code == Some(0) && table.stdout.contains("running")
    });
    let status = place.run(&["status", "two"]).ok();
    let shown: Vec<&str> = status.lines().rev().take(2).flat_map(str::split_whitespace).collect();
    let [run, _, _, loss, curve, .., metric, _] = shown.as_slice() else { panic!("{status}") };
    assert_eq!((*run, *loss, *curve, *metric), ("#0", "0.5000", "▁", "train/loss"), "{status}");
    assert!(place.run(&["cancel", "two/1"]).ok().contains("1 run cancelled"));
    assert!(place.run(&["runs", "two"]).ok().contains("cancelled"));
    running.interrupt();
    running.wait();
    assert!(place.run(&["status", "two"]).ok().contains("1 cancelled"));
    assert!(!place.path(".acai/acai.db.running").exists());
    let watched = trained().run(&["status", "two", "--watch"]).ok();
    assert!(
        watched.contains("2 completed"),
        "whoever watches is let go when nothing is left to do: {watched}"
    );
}

#[test]
fn a_killed_run_leaves_no_address_that_anybody_follows() {
    let place = trained();
    // As a killed run leaves it; somebody else listens there by now.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    place.file(".acai/acai.db.running", &format!("url = \"http://{address}\"\n"));
    assert!(place.run(&["status", "two"]).ok().contains("2 completed"));
    drop(other);
}

#[test]
fn a_coordinator_on_the_database_of_a_run_keeps_checkpoints_where_the_run_did_also_when_both_were_moved() {
    let place = trained();
    fs::rename(place.path(".acai"), place.path("moved")).unwrap();
    let address = free_address();
    // As a killed run leaves it.
    place.file("moved/acai.db.running", "url = \"http://127.0.0.1:1\"\n");
    let coordinator =
        place.start(&["coordinator", "--db", "sqlite:moved/acai.db", "--listen", &address, "--take-blobs"]);
    eventually("the coordinator listens", || place.run(&["ls", "--coordinator", &address]).code == Some(0));
    // Whoever names the folder is answered by the coordinator, which takes changes.
    assert!(place.run(&["cancel", "two", "--coordinator", "moved"]).ok().contains("2 left as they are"));
    coordinator.interrupt();
    let ended = coordinator.wait();
    assert!(ended.stderr.contains("checkpoints in moved/blobs"), "{ended:#?}");
    assert!(!place.path("moved/acai.db.blobs").exists());
}

#[test]
fn a_database_of_an_earlier_version_is_read_by_nobody_before_a_coordinator_has_brought_it_up_to_date() {
    let place = trained();
    let older = r#"
import sqlite3
database = sqlite3.connect(".acai/acai.db")
database.execute("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
database.commit()
"#;
    let python =
        std::process::Command::new("python3").args(["-c", older]).current_dir(place.path("")).status();
    assert!(python.unwrap().success());
    let refused = place.run(&["ls"]);
    assert!(refused.stderr.contains("was written by an earlier version"), "{refused:#?}");
}
