//! `acai logs`: what a run's trainer has printed, read from anywhere, and followed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::{Place, eventually};

const SWEEP: &str = "
version: 1
name: two
parameters: {model: acai, dataset: lines32, lambda: [0.1, 0.5], batch: 64, total_kimg: 1}
";

/// A trainer whose log arrives in two parts, the second when the file `go` is there; then the run completes. Run 2 leaves
/// none, and also waits.
const TRAINER: &str = r#"#!/usr/bin/env python3
import json, os, sys, time
print(json.dumps({"event": "ready", "version": "0", "device": "cpu", "threads": 1, "libtorch": "none"}), flush=True)
for line in sys.stdin:
    for member in json.loads(line).get("group", []):
        run = member["run"]
        for step, text in (8, "first\n"), (16, "first\nsecond\n"):
            path = f"{member['folder']}/log-1-{step:09}.txt"
            if run == 1:
                with open(path, "w") as file:
                    file.write(text)
                print(json.dumps({"event": "artifact", "run": run, "step": step, "path": path}), flush=True)
            while not os.path.exists("GO"):
                print(json.dumps({"event": "progress", "run": run, "step": step}), flush=True)
                time.sleep(0.05)
        print(json.dumps({"event": "finished", "run": run, "step": 16}), flush=True)
    break
"#;

#[test]
fn a_log_is_printed_followed_and_fetched_and_where_there_is_none_that_is_explained() {
    let place = Place::new();
    place.file("two.yaml", SWEEP);
    let go = place.path("go");
    place.program("trainer", &TRAINER.replace("GO", go.to_str().unwrap()));
    let run = place.start(&["run", "two.yaml", "--trainer", "./trainer", "--slots", "1"]);
    eventually("the first part has arrived", || place.run(&["logs", "two/0"]).stdout == "first\n");
    let waiting = place.run(&["logs", "two/1"]);
    assert!(waiting.code == Some(1) && waiting.stderr.contains("it has not been started"), "{waiting:#?}");

    let mut following = place.acai(&["logs", "two/0", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("first"));
    fs::write(go, "").unwrap();
    assert_eq!(lines.collect::<Vec<_>>(), ["second"], "the follower ends with the run");
    assert!(following.wait().unwrap().success());
    run.wait().ok();

    assert_eq!(place.run(&["logs", "two/0", "--attempt", "1"]).ok(), "first\nsecond\n");
    assert_eq!(place.run(&["fetch", "two/0", "--what", "log"]).ok(), "./two-0/log-1.txt\n");
    assert_eq!(fs::read_to_string(place.path("two-0/log-1.txt")).unwrap(), "first\nsecond\n");
    let ways: [&[&str]; 3] = [&[], &["--attempt", "1"], &["-f"]];
    for options in ways {
        let silent = place.run(&[&["logs", "two/1"], options].concat());
        assert!(silent.stderr.contains("attempt 1 of two/1 left no log"), "{silent:#?}");
        assert_eq!(silent.ok(), "", "most trainers print nothing");
    }
    for (arguments, words) in [
        (&["logs", "two/0", "--attempt", "2"][..], "two/0 has no attempt 2: it has had 1 attempt"),
        (&["fetch", "two/1", "--what", "log"], "two/1 has left no log yet"),
        (&["fetch", "two/0", "--what", "pictures"], "two/0 has left no pictures yet"),
        (&["logs", "two/7"], "two has no run 7"),
    ] {
        let refused = place.run(arguments);
        assert!(refused.code == Some(1) && refused.stderr.contains(words), "{refused:#?}");
    }
}
