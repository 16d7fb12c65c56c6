//! Sweep files with values that are given beside them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use acai_sweep::file::{Change, ChangeError, SweepFile, changed};

const FILE: &str = "\
# Which λ?
# As in the paper.
version: 1
name: x
metric: {name: eval/mean_distance, goal: min}
parameters:
  model: acai # the authors'
  dataset: lines32
  lambda: [0, 0.5]
  gamma: &gammas [0.1, 0.2]
zip: [{lr: [1.0e-5, 2.0e-5], batch: [16, 32]}]
exclude: [{gamma: 0.1, lambda: 0.5}]
";

fn change(text: &str) -> Change {
    text.parse().unwrap()
}

fn with(text: &str, changes: &[&str]) -> Result<String, String> {
    let changes: Vec<Change> = changes.iter().copied().map(change).collect();
    changed("x.yaml", text.as_bytes(), &changes).map_err(|error| error.to_string())
}

#[track_caller]
fn parsed(text: &str) -> SweepFile {
    SweepFile::parse("x.yaml", text.as_bytes()).unwrap()
}

#[test]
fn a_changed_file_means_what_the_file_with_these_values_means() {
    for (changes, from, to) in [
        (&["name=y"][..], "name: x", "name: y"),
        (&["lambda=[0, 0.5, 2]"], "lambda: [0, 0.5]", "lambda: [0, 0.5, 2]"),
        (&["parameters.lambda=[0, 0.5]", "seeds=2", "seeds=3"], "name: x", "name: x\nseeds: 3"),
        (&["metric.goal=max"], "goal: min", "goal: max"),
        (&["checkpoint.every_kimg=8"], "name: x", "name: x\ncheckpoint: {every_kimg: 8}"),
        (&["zip.0.batch=[4, 8]"], "[16, 32]", "[4, 8]"),
        (&["gamma={min: 0.1, max: 0.3, count: 2}"], "&gammas [0.1, 0.2]", "{min: 0.1, max: 0.3, count: 2}"),
        (&["description=\"a = b: 'c'\" # d"], "name: x", "name: x\ndescription: 'a = b: ''c'''"),
    ] {
        let changed = with(FILE, changes).unwrap();
        assert_ne!(FILE, FILE.replace(from, to), "{from}");
        assert_eq!(parsed(&changed), parsed(&FILE.replace(from, to)), "{changed}");
    }
}

#[test]
fn a_changed_file_says_at_its_top_what_was_changed_and_keeps_the_comments_there() {
    let text = with(FILE, &["seeds=2", "tags=[a,\n b]"]).unwrap();
    let heading =
        "# Which λ?\n# As in the paper.\n# as changed by --set seeds=2 --set tags=[a,  b]\nversion: 1\n";
    assert!(text.starts_with(heading), "{text}");
    assert_eq!(parsed(&text).tags, ["a", "b"]);
    assert_eq!(with(FILE, &[]).unwrap(), FILE, "without changes it is the file");
}

#[test]
fn values_that_look_like_others_stay_what_they_are() {
    let file = "version: 1\nname: '007'\ndescription: |\n  yes: no\n  # no comment\ntags: ['1e3', 'null', 'true', '0x10', on]\n\
                seeds: [18446744073709551615, 0]\nparameters: {model: acai, dataset: lines32, lr: [1e-5, 0.00001001, 1]}\n";
    let changed = with(file, &["priority=0"]).unwrap();
    assert_eq!(parsed(&changed), parsed(file), "{changed}");
}

#[test]
fn a_change_without_a_place_in_the_file_is_refused_with_what_was_probably_meant() {
    for (text, expected) in [
        (
            "lamda=1",
            "--set lamda=1: `lamda` is neither a key of sweep files nor a parameter\nhint: did you mean `lambda`?",
        ),
        (
            "sedes=1",
            "--set sedes=1: `sedes` is neither a key of sweep files nor a parameter\nhint: did you mean `seeds`?",
        ),
        ("xyz=1", "--set xyz=1: `xyz` is neither a key of sweep files nor a parameter"),
        (
            "name.first=a",
            "--set name.first=a: `name` is the word `x`, which has no `first`\nhint: `--set 'name={…}'` replaces it as a whole",
        ),
        (
            "zip.1.lr=[1]",
            "--set zip.1.lr=[1]: `zip` is a list, which has no `1`\nhint: items are numbered from 0, and there are 1",
        ),
    ] {
        assert_eq!(with(FILE, &[text]), Err(expected.to_owned()));
    }
    let broken = changed("x.yaml", b"name: [", &[change("seeds=1")]);
    assert!(matches!(&broken, Err(ChangeError::File(mistakes)) if mistakes.file == "x.yaml"), "{broken:?}");
}

#[test]
fn what_is_no_change_is_refused() {
    for (text, expected) in [
        ("seeds", "expected KEY=VALUE, like `lambda=[0, 0.5]`"),
        ("=1", "`` is no key of a sweep file"),
        ("metric..goal=1", "`metric..goal` is no key of a sweep file"),
        (
            "seeds=[1",
            "the value is not YAML: did not find expected ',' or ']', while parsing a flow sequence",
        ),
        ("tags={a: 1, a: 2}", "the value is not YAML: `a` is here twice"),
    ] {
        assert_eq!(text.parse::<Change>(), Err(expected.to_owned()));
    }
}

#[test]
fn parameters_that_the_file_declares_may_be_named_alone_too() {
    let file = "version: 1\nname: x\ntrainer: {parameters: {warmup: {type: int}}}\nparameters: {model: acai, dataset: lines32, warmup: 1}\n";
    let changed = with(file, &["warmup=[1, 2]"]).unwrap();
    assert_eq!(parsed(&changed), parsed(&file.replace("warmup: 1", "warmup: [1, 2]")));
    assert!(with(file, &["warmpu=1"]).unwrap_err().ends_with("did you mean `warmup`?"));
}
