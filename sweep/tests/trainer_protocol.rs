//! What docs/trainer.md says to writers of trainers is the protocol.

use std::collections::BTreeSet;

use acai_sweep::trainer_protocol::{Command, Event, Member};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/trainer.md");

/// The lines of the document's JSON blocks.
fn documented() -> Vec<&'static str> {
    let blocks = DOCUMENT.split("```json\n").skip(1);
    blocks.flat_map(|rest| rest.split("```").next().unwrap_or_default().lines()).collect()
}

/// The line, read as what it is and written again.
fn read_and_written(line: &str) -> serde_json::Result<Value> {
    if line.starts_with(r#"{"command""#) {
        serde_json::to_value(serde_json::from_str::<Command>(line)?)
    } else {
        serde_json::to_value(serde_json::from_str::<Event>(line)?)
    }
}

#[test]
fn every_json_line_of_the_document_is_a_whole_message_without_fields_that_do_not_exist() {
    for line in documented() {
        let value: Value = serde_json::from_str(line).unwrap();
        let written = read_and_written(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(written, value);
    }
}

#[test]
fn the_document_shows_every_command_event_and_kind_of_failure() {
    let lines: Vec<Value> = documented().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown =
        |key: &str| -> BTreeSet<&str> { lines.iter().filter_map(|line| line[key].as_str()).collect() };
    assert_eq!(shown("command"), BTreeSet::from(["checkpoint", "join", "shutdown", "start", "stop"]));
    let events = [
        "artifact",
        "checkpoint",
        "evaluated",
        "failed",
        "finished",
        "metric",
        "progress",
        "ready",
        "stopped",
        "working",
    ];
    assert_eq!(shown("event"), BTreeSet::from(events));
    assert_eq!(shown("kind"), BTreeSet::from(["checkpoint", "diverged", "error", "machine"]));
}

#[test]
fn a_run_without_own_parameters_is_told_to_a_trainer_as_it_always_was() {
    let start = documented().into_iter().find(|line| line.contains(r#""start""#)).unwrap();
    let Ok(Command::Start { mut group, .. }) = serde_json::from_str(start) else { panic!("{start}") };
    group[0].own.clear();
    let member = serde_json::to_value(&group[0]).unwrap();
    assert_eq!(member.get("own"), None);
    assert_eq!(serde_json::from_value::<Member>(member).unwrap(), group[0]);
}
