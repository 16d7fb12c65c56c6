//! Every `--help` has examples, and each of them does what it says, or, where it needs more than a database, is at least a
//! command that the program takes.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::{Ended, Place};

const SWEEPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sweeps");
const DEMO: &str = "version: 1\nname: demo\nmetric: [mean_distance, smoothness]\n\
                    parameters: {model: acai, dataset: lines32, lambda: [0, 0.5, 1], gamma: [0, 0.2], batch: 64, total_kimg: 1}\n\
                    seeds: 3\n";

/// Completes runs with scores and pictures: a white pixel each.
const TRAINER: &str = r#"#!/usr/bin/env python3
import base64, json, sys
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTwQdAAAAABJRU5ErkJggg==")
def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)
say("ready", version="0", device="cpu", threads=1, libtorch="none")
for line in sys.stdin:
    for member in json.loads(line).get("group", []):
        run, config = member["run"], member["config"]
        for step in (8, 16):
            distance = (1 + config["lambda"] + config["gamma"] + member["seed"] / 100) / step
            values = {"eval/mean_distance": distance, "eval/smoothness": distance * 2, "eval/latent_accuracy": 90 - step}
            say("evaluated", run=run, step=step, values=values)
            for name in "interpolations", "samples":
                path = f"{member['folder']}/{name}-{step:09}.png"
                with open(path, "wb") as file:
                    file.write(PIXEL)
                say("artifact", run=run, step=step, path=path)
        say("finished", run=run, step=16)
    break
"#;

/// What begins like one of these needs another machine, the network or a coordinator that runs, changes what is stored, or does
/// not end by itself.
const NOT_RUN: [&str; 26] = [
    "acai run ",
    "acai submit ",
    "acai logs ",
    "acai fetch ",
    "acai import ",
    "acai cancel ",
    "acai pause ",
    "acai resume ",
    "acai retry ",
    "acai set ",
    "acai forget ",
    "acai cordon ",
    "acai uncordon ",
    "acai drain ",
    "acai data fetch ",
    "acai data check images:",
    "acai access ",
    "acai fleet ",
    "acai backup ",
    "acai restore ",
    "acai doctor",
    "acai coordinator",
    "acai dashboard",
    "acai worker ",
    "acai completions ",
    "acai status demo --watch",
];

/// A place whose state folder has the sweeps that examples are about.
fn place() -> Place {
    let place = Place::new();
    place.program("trainer", TRAINER);
    for name in ["demo", "first", "second"] {
        place.file(&format!("{name}.yaml"), &DEMO.replace("name: demo", &format!("name: {name}")));
        let run =
            ["run", &format!("{name}.yaml"), "--trainer", "./trainer", "--slots", "1", "--group-size", "20"];
        place.run(&run).ok();
    }
    symlink(SWEEPS, place.path("sweeps")).unwrap();
    std::fs::create_dir(place.path("programs")).unwrap();
    symlink(env!("CARGO_BIN_EXE_acai"), place.path("programs/acai")).unwrap();
    place
}

/// The words of every command that does something, and of those that gather others.
fn commands(place: &Place) -> Vec<Vec<String>> {
    let mut commands: Vec<Vec<String>> = vec![Vec::new()];
    let mut next = 0;
    while next < commands.len() {
        let command = commands[next].clone();
        let help = help(place, &command);
        let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default();
        let listed = listed.lines().take_while(|line| !line.trim().is_empty());
        // What explains a command goes on further right.
        let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
        let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        commands.extend(names.map(|name| [&command[..], &[name.to_owned()]].concat()));
        next += 1;
    }
    commands
}

fn help(place: &Place, command: &[String]) -> String {
    let words: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
    place.run(&words).ok()
}

/// The command lines of a help's examples, without what stands behind them.
fn examples(help: &str) -> Vec<String> {
    let lines = help.split("\nExamples:\n").nth(1).unwrap_or_default().lines().map(str::trim);
    let lines = lines.filter(|line| line.starts_with("acai "));
    let command = |line: &str| line.split("  ").next().unwrap_or_default().to_owned();
    lines.flat_map(|line| command(line).split(" && ").map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_help_has_examples_and_they_work() {
    let place = place();
    let mut all = BTreeSet::new();
    let commands = commands(&place);
    assert!(commands.len() > 40, "{commands:#?}");
    for command in &commands {
        let examples = examples(&help(&place, command));
        assert!(!examples.is_empty(), "acai {} --help has no example", command.join(" "));
        all.extend(examples);
    }
    let path = format!("{}:/usr/bin:/bin", place.path("programs").display());
    for example in all {
        let is_run = !NOT_RUN.iter().any(|begin| example.starts_with(begin))
            && (!example.starts_with("acai watch ") || example.contains("--once"));
        let line = match is_run {
            true => example.clone(),
            // Help is printed only when all that stands before it is understood.
            false => format!("{} --help", example.split(" > ").next().unwrap_or_default()),
        };
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &line])
            .env("PATH", &path)
            .env("HOME", place.path(""))
            .env_remove("ACAI_COORDINATOR");
        let ended = Ended::from(shell.current_dir(place.path("")).output().unwrap());
        assert_eq!(ended.code, Some(0), "{line}: {ended:#?}");
    }
    let written =
        ["plane.svg", "curves.svg", "sheet.svg", "demo-2026/points.parquet", "table.tex", "man1/acai.1"];
    for file in written {
        assert!(Path::new(&place.path(file)).is_file(), "{file}");
    }
}
