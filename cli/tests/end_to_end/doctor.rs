//! `acai doctor` says what is wrong, and what to do.

use serde_json::Value;

use crate::{Place, eventually, free_address};

/// The verdict on each thing.
fn verdict(report: &Value, about: &str) -> String {
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["about"] == about);
    found.unwrap_or_else(|| panic!("nothing is said of the {about}: {report}"))["verdict"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_machine_on_which_a_worker_would_work_is_found_to_be_good() {
    let place = Place::new();
    let _coordinator = place.start(&["coordinator", "--listen", &free_address()]);
    eventually("the coordinator listens", || place.run(&["ls"]).code == Some(0));
    place.run(&["access", "create", "--scope", "worker", "--name", "here", "-o", "worker.toml"]).ok();
    let report = place.run(&["doctor", "--access", "worker.toml", "--json"]).ok();
    let report: Value = serde_json::from_str(&report).unwrap();
    for about in ["trainer", "disk", "coordinator", "access", "clock"] {
        assert_eq!(verdict(&report, about), "good", "{report}");
    }
    for about in ["GPU", "datasets"] {
        assert_ne!(verdict(&report, about), "wrong", "{report}");
    }
    place.run(&["access", "create", "--scope", "read", "--name", "me", "-o", "read.toml"]).ok();
    let report = place.run(&["doctor", "--access", "read.toml"]).ok();
    assert!(
        report.contains("a worker is not let in with it") && report.contains("--scope worker"),
        "{report}"
    );
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let place = Place::new();
    place
        .program("broken", "#!/bin/sh\necho libtorch_cpu.so: cannot open shared object file >&2\nexit 127\n");
    place.file("file", "");
    let address = free_address();
    let doctor = ["doctor", "--trainer", "./broken", "--state", "/proc/acai", "--coordinator", &address];
    let ended = place.run(&doctor);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stderr.contains("3 things are wrong"), "{ended:#?}");
    for words in ["cannot open shared object file", "cannot be written", "no coordinator answers"] {
        assert!(ended.stdout.contains(words), "{words}: {ended:#?}");
    }
    assert_eq!(ended.stdout.matches("wrong  ").count(), 3);
    assert!(ended.stdout.matches("hint: ").count() >= 3, "{ended:#?}");
}
