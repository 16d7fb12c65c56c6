//! `acai artifacts`: what runs leave is listed and fetched from the coordinator, wherever they were trained.

use std::fs;

use serde_json::Value;

use crate::{Place, eventually, free_address};

const SWEEP: &str = "
version: 1
name: two
parameters: {model: acai, dataset: lines32, lambda: [0.1, 0.5], batch: 64, total_kimg: 1}
";

/// A trainer that draws a picture at two steps, and completes.
const TRAINER: &str = r#"#!/usr/bin/env python3
import json, sys
print(json.dumps({"event": "ready", "version": "0", "device": "cpu", "threads": 1, "libtorch": "none"}), flush=True)
for line in sys.stdin:
    for member in json.loads(line).get("group", []):
        run = member["run"]
        for step in (8, 16):
            path = f"{member['folder']}/samples-{step:09}.png"
            with open(path, "w") as file:
                file.write(f"run {run} at {step}")
            print(json.dumps({"event": "artifact", "run": run, "step": step, "path": path}), flush=True)
        print(json.dumps({"event": "finished", "run": run, "step": 16}), flush=True)
"#;

#[test]
fn pictures_are_listed_and_fetched_whole_and_again_only_where_they_are_missing() {
    let place = Place::new();
    place.file("two.yaml", SWEEP);
    place.program("trainer", TRAINER);
    let address = free_address();
    let url = address.clone();
    let _coordinator = place.start(&["coordinator", "--listen", &address]);
    let ask = |arguments: &[&str]| place.run(&[arguments, &["--coordinator", &url]].concat());
    eventually("the coordinator listens", || ask(&["submit", "two.yaml"]).code == Some(0));
    let none = ask(&["artifacts", "ls", "two"]);
    assert!(none.stderr.contains("no such files yet"), "{none:#?}");
    let worker = ["worker", "--trainer", "./trainer", "--slots", "1", "--idle-timeout", "0.5"];
    ask(&[&worker[..], &["--state", "elsewhere"]].concat()).ok();

    let listed = ask(&["artifacts", "ls", "two"]).ok();
    assert_eq!(listed.matches("samples.png").count(), 4, "{listed}");
    let last: Value =
        serde_json::from_str(&ask(&["artifacts", "ls", "two/1", "--step", "last", "--json"]).ok()).unwrap();
    assert_eq!(last["artifacts"].as_array().unwrap().len(), 1, "{last}");
    assert_eq!(last["artifacts"][0]["step"], 16, "{last}");

    let get = ["artifacts", "get", "two", "-o", "pictures"];
    let fetched = ask(&get);
    assert!(fetched.stderr.contains("2 files in pictures: 22 bytes (0 were there)"), "{fetched:#?}");
    let picture = place.path("pictures/two-1/samples-000000016.png");
    assert_eq!(fs::read_to_string(&picture).unwrap(), "run 2 at 16");
    fs::remove_file(&picture).unwrap();
    let again = ask(&get);
    assert!(again.stderr.contains("1 files in pictures: 11 bytes (1 were there)"), "{again:#?}");

    // A file that somebody changed is not overwritten.
    fs::write(&picture, "mine").unwrap();
    let refused = ask(&get);
    assert!(refused.stderr.contains("is another file"), "{refused:#?}");
    assert_eq!(fs::read_to_string(&picture).unwrap(), "mine");

    // The last picture of each run, laid out by two parameters: "run 1 at 16" and "run 2 at 16".
    let sheet = ["plot", "sheet", "two", "--y", "gamma", "--name", "samples.png", "-o", "sheet.svg"];
    ask(&sheet).ok();
    let svg = fs::read_to_string(place.path("sheet.svg")).unwrap();
    for part in ["λ = 0.1", "λ = 0.5", "γ = 0.2", "base64,cnVuIDEgYXQgMTY=", "base64,cnVuIDIgYXQgMTY="] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    assert!(ask(&sheet).stderr.contains("--force replaces it"));
    let none = ask(&["plot", "sheet", "two", "--y", "gamma", "-o", "other.svg"]);
    assert!(none.stderr.contains("no run has a picture `interpolations.png`"), "{none:#?}");
    let line = ask(&["plot", "sheet", "two", "-o", "other.svg"]);
    assert!(line.stderr.contains("the sweep varies lambda: a sheet needs two parameters"), "{line:#?}");

    for (arguments, hint) in [
        (&["artifacts", "ls", "two/7"][..], "two has no run 7"),
        (&["artifacts", "ls", "tow"], "did you mean `two`?"),
        (&["artifacts", "ls", "two", "--step", "first"], "neither `last`, `all` nor a step"),
    ] {
        let refused = ask(arguments);
        assert!(refused.code != Some(0) && refused.stderr.contains(hint), "{refused:#?}");
    }
}
