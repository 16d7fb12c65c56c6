//! A sweep goes into a folder that needs no server, and from there to another coordinator.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::access::TINY;
use crate::tables::plane;
use crate::{Place, eventually, free_address};

/// A coordinator with an empty database, at this address.
pub(crate) fn elsewhere(place: &Place) -> (crate::Started, String) {
    let address = free_address();
    let coordinator = place.start(&["coordinator", "--db", "sqlite:other.db", "--listen", &address]);
    eventually("the coordinator listens", || place.run(&["ls", "--coordinator", &address]).code == Some(0));
    (coordinator, address)
}

#[test]
fn an_exported_sweep_has_the_same_tables_and_curves_where_it_is_imported() {
    let place = plane();
    let exported = place.run(&["export", "plane", "-o", "folder"]);
    assert!(exported.stderr.contains("plane: 15 runs and 84 points in folder"), "{exported:#?}");
    for name in [
        "README.md",
        "sweep.yaml",
        "runs.jsonl",
        "points.parquet",
        "results.txt",
        "results.csv",
        "results.md",
        "results.tex",
    ] {
        assert!(place.path("folder").join(name).is_file(), "{name}");
    }
    let again = place.run(&["export", "plane", "-o", "folder"]);
    assert!(again.code == Some(1) && again.stderr.contains("`folder` is not empty"), "{again:#?}");

    let (_coordinator, address) = elsewhere(&place);
    let imported = place.run(&["import", "folder", "--coordinator", &address]).ok();
    assert_eq!(imported.trim(), "plane: 15 runs with 84 points");
    for question in [
        &["results", "plane", "--json"][..],
        &["results", "plane", "--format", "latex"],
        &["results", "plane", "--at", "best", "--json"],
        &["metrics", "plane", "--format", "csv"],
        &["metrics", "plane/3", "--metric", "eval/mean_distance"],
    ] {
        let there = place.run(&[question, &["--coordinator", &address]].concat()).ok();
        assert_eq!(there, place.run(question).ok(), "{question:?}");
    }
    let status = place.run(&["status", "plane", "--coordinator", &address]).ok();
    assert!(
        status.contains("14 completed, 1 diverged") && status.contains("the loss is not a number"),
        "{status}"
    );
    let refused = place.run(&["import", "folder", "--coordinator", &address]);
    assert!(
        refused.code == Some(1) && refused.stderr.contains("there is a sweep `plane` already"),
        "{refused:#?}"
    );
    place.run(&["forget", "plane", "--yes", "--coordinator", &address]).ok();
    place.run(&["import", "folder", "--coordinator", &address]).ok();
}

#[test]
fn a_folder_that_does_not_fit_is_refused_whole() {
    let place = plane();
    place.run(&["export", "plane", "-o", "folder", "--no-files"]).ok();
    let (_coordinator, address) = elsewhere(&place);
    let import = || place.run(&["import", "folder", "--coordinator", &address]);
    let runs = fs::read_to_string(place.path("folder/runs.jsonl")).unwrap();
    place.file("folder/runs.jsonl", &runs.replace("\"seed\":2", "\"seed\":7"));
    let refused = import();
    assert!(
        refused.code == Some(1) && refused.stderr.contains("asks for no run of configuration"),
        "{refused:#?}"
    );
    place.file("folder/runs.jsonl", "{}");
    assert!(import().stderr.contains("runs.jsonl, line 1: `run` is missing"));
    place.file("folder/points.parquet", "");
    assert!(import().stderr.contains("cannot read the points in `folder/points.parquet`"));
    let sweeps = place.run(&["ls", "--json", "--coordinator", &address]).ok();
    let sweeps: Value = serde_json::from_str(&sweeps).unwrap();
    assert_eq!(sweeps["sweeps"], serde_json::json!([]));
    let elsewhere = place.run(&["import", ".", "--coordinator", &address]);
    assert!(elsewhere.stderr.contains("name a folder that `acai export` has made"), "{elsewhere:#?}");
}

#[test]
fn pictures_logs_and_weights_come_along_and_are_fetched_where_they_are_imported() {
    let place = Place::new();
    place.file("tiny.yaml", TINY);
    let trainer = Path::new(env!("CARGO_BIN_EXE_acai")).with_file_name("acai-trainer");
    // The real one, which says something.
    place.program(
        "trainer",
        &format!("#!/bin/sh\necho 'it begins' >&2\nexec '{}' \"$@\"\n", trainer.display()),
    );
    place.run(&["run", "tiny.yaml", "--slots", "1", "--threads", "1", "--trainer", "./trainer"]).ok();
    place.run(&["export", "tiny", "-o", "folder"]).ok();
    let manifest = fs::read_to_string(place.path("folder/artifacts.jsonl")).unwrap();
    let lines: Vec<Value> = manifest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for name in ["weights.safetensors", "interpolations.png", "log-1.txt"] {
        assert!(lines.iter().any(|line| line["name"] == name), "{name}: {manifest}");
    }

    let (_coordinator, address) = elsewhere(&place);
    let ask = |arguments: &[&str]| place.run(&[arguments, &["--coordinator", &address]].concat());
    // A file that is not what the folder says, or not in the folder, is refused before anything is stored.
    let (file, whole) =
        (lines[0]["file"].as_str().unwrap(), format!("folder/{}", lines[0]["file"].as_str().unwrap()));
    let bytes = fs::read(place.path(&whole)).unwrap();
    fs::write(place.path(&whole), [&bytes[..bytes.len() - 1], b"?"].concat()).unwrap();
    let refused = ask(&["import", "folder"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("SHA-256"), "{refused:#?}");
    fs::write(place.path(&whole), &bytes).unwrap();
    place.file("folder/artifacts.jsonl", &manifest.replace(file, "../tiny.yaml"));
    let refused = ask(&["import", "folder"]);
    assert!(refused.stderr.contains("line 1: `../tiny.yaml` is not in the folder"), "{refused:#?}");
    assert!(!ask(&["ls"]).ok().contains("tiny"));

    place.file("folder/artifacts.jsonl", &manifest);
    let imported = ask(&["import", "folder"]).ok();
    assert!(imported.trim().ends_with(&format!(" points and {} files", lines.len())), "{imported}");
    ask(&["artifacts", "get", "tiny", "--step", "all", "-o", "there"]).ok();
    place.run(&["artifacts", "get", "tiny", "--step", "all", "-o", "here"]).ok();
    for entry in fs::read_dir(place.path("here/tiny-0")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let [here, there] =
            ["here", "there"].map(|side| fs::read(place.path(&format!("{side}/tiny-0/{name}"))));
        assert_eq!(here.unwrap(), there.unwrap(), "{name}");
    }
    assert!(ask(&["logs", "tiny/0"]).ok().contains("it begins"));
    assert_eq!(ask(&["logs", "tiny/0"]).ok(), place.run(&["logs", "tiny/0"]).ok());
    let weights = ["fetch", "tiny/0", "--what", "weights", "-o", "weights"];
    assert_eq!(ask(&weights).ok().trim(), "weights/tiny-0/weights.safetensors");
    let refused = ask(&["fetch", "tiny/0", "-o", "weights"]);
    assert!(refused.stderr.contains("hint: --what weights fetches"), "{refused:#?}");
    let [fetched, exported] = ["weights/tiny-0/weights.safetensors", "folder/weights/tiny-0.safetensors"]
        .map(|file| fs::read(place.path(file)));
    assert_eq!(fetched.unwrap(), exported.unwrap());
}
