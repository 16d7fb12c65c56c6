//! What a sweep file comes to is said before it costs anything.

use std::collections::HashMap;

use serde_json::Value;

use crate::tables::{PLANE, plane};
use crate::{Place, eventually, free_address};

/// Half of it trains without a critic. Nothing on digits is measured by `mean_distance`.
const WASTEFUL: &str = "\
version: 1
name: wasteful
metric: mean_distance
parameters:
  model: acai
  dataset: digits32
  lambda: [0, 0.5]
  gamma: [0.1, 0.2, 0.4, 1]
  lr: 1.0e-5
  total_kimg: 2
  eval_kimg: 4
seeds: 2
";

const WARNINGS: &str = "\
wasteful.yaml:3:9: warning: `eval/mean_distance` is not reported by runs on `digits32`
  3 | metric: mean_distance
    |         ^
wasteful.yaml:11:3: warning: `eval_kimg` 4.0 is beyond the end of training, `total_kimg` 2.0: runs are evaluated at their end alone
  11 |   eval_kimg: 4
     |   ^
";

/// The rows of comma-separated values, by their headings.
fn table(csv: &str) -> Vec<HashMap<&str, &str>> {
    let mut lines = csv.lines().map(|line| line.split(','));
    let headings: Vec<&str> = lines.next().unwrap().collect();
    lines.map(|cells| headings.iter().copied().zip(cells).collect()).collect()
}

#[test]
fn a_plan_says_what_it_merges_and_what_cannot_help() {
    let place = Place::new();
    place.file("wasteful.yaml", WASTEFUL);
    let plan = place.run(&["plan", "wasteful.yaml"]);
    assert_eq!(plan.stderr, WARNINGS);
    let end = "\nwasteful: 8 points, 3 merged with a point that trains the same; 5 configurations × 2 seeds = 10 runs\n\
               merged 3 points: `gamma` has no effect where `lambda` is 0\n";
    assert!(plan.stdout.ends_with(end), "{plan:#?}");
    plan.ok();

    let json = place.run(&["plan", "wasteful.yaml", "--format", "json"]).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["counts"]["merged"], json["runs"].as_array().unwrap().len()), (&Value::from(3), 10));
    assert_eq!(json["merged"][0], "3 points: `gamma` has no effect where `lambda` is 0");
    let warning = &json["warnings"][0];
    assert_eq!([&warning["line"], &warning["column"]], [&Value::from(3), &Value::from(9)], "{warning}");

    place.file("one.yaml", "version: 1\nname: one\nparameters: {model: acai, dataset: lines32}\n");
    let one = place.run(&["plan", "one.yaml"]);
    assert_eq!(one.stderr, "");
    assert!(one.ok().ends_with("one: 1 point; 1 configuration × 1 seed = 1 run\n"));
}

#[test]
fn a_plan_and_its_runs_have_the_same_columns() {
    let place = Place::new();
    place.file("wasteful.yaml", WASTEFUL);
    let (address, db) = (free_address(), "sqlite:acai.db");
    let url = address.clone();
    let _coordinator = place.start(&["coordinator", "--db", db, "--listen", &address]);
    let ask = |arguments: &[&str]| place.run(&[arguments, &["--coordinator", &url]].concat());
    eventually("the coordinator listens", || ask(&["ls"]).code == Some(0));

    let submitted = ask(&["submit", "wasteful.yaml", "--json"]);
    assert_eq!(submitted.stderr, WARNINGS);
    let submitted: Value = serde_json::from_str(&submitted.ok()).unwrap();
    assert_eq!(submitted["new_runs"], 10);
    assert_eq!(submitted["warnings"][1]["line"], 11, "{submitted}");

    let plan = place.run(&["plan", "wasteful.yaml", "--format", "csv"]).ok();
    let runs = ask(&["runs", "wasteful", "--format", "csv"]).ok();
    let (plan, runs) = (table(&plan), table(&runs));
    assert_eq!(plan.len(), 10);
    for (planned, run) in plan.iter().zip(&runs) {
        for (heading, cell) in planned {
            assert_eq!(run.get(heading), Some(cell), "{heading} of run {}", planned["run"]);
        }
        let missing = run.keys().filter(|heading| !planned.contains_key(*heading)).copied();
        let mut missing: Vec<&str> = missing.collect();
        missing.sort_unstable();
        assert_eq!(missing, ["attempt", "message", "state", "step", "worker"], "a plan cannot know them");
    }

    // Nothing has a result yet, but every point that the file asks for has its row.
    let table = ask(&["results", "wasteful"]).ok();
    let rows: Vec<Vec<&str>> =
        table.lines().skip(2).take(8).map(|row| row.split_whitespace().take(3).collect()).collect();
    let row = |lambda, gamma| vec![lambda, gamma, "0/2"];
    let gammas = ["0.1", "0.2", "0.4", "1"];
    let expected: Vec<Vec<&str>> =
        ["0", "0.5"].into_iter().flat_map(|lambda| gammas.map(|gamma| row(lambda, gamma))).collect();
    assert_eq!(rows, expected, "{table}");
    assert!(table.contains("0 of 10 runs completed"), "{table}");
    assert!(table.contains("0/2  2 queued (no worker has digits32)"), "{table}");
}

#[test]
fn a_plan_ends_with_what_runs_of_the_same_size_have_taken_and_without_any_says_nothing_of_it() {
    let place = plane();
    // Longer runs are of the same size, and larger models are not.
    place.file("longer.yaml", &PLANE.replace("total_kimg: 1", "total_kimg: 8"));
    let plan = place.run(&["plan", "longer.yaml"]).ok();
    let end: Vec<&str> = plan.lines().rev().take(4).collect();
    assert!(
        end.iter().any(|line| line.starts_with("as on ") && line.contains("one after the other")),
        "{plan}"
    );
    assert!(end[0].starts_with("  (from ") && end[0].ends_with("completed runs of plane)"), "{plan}");
    let json = place.run(&["plan", "longer.yaml", "--format", "json"]).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["estimates"][0]["runs"], json["counts"]["runs"]);
    let seconds = |name: &str| -> f64 {
        let plan = place.run(&["plan", name, "--json"]).ok();
        let plan: Value = serde_json::from_str(&plan).unwrap();
        plan["estimates"][0]["seconds"].as_f64().unwrap()
    };
    assert!((seconds("longer.yaml") / seconds("plane.yaml") - 8.0).abs() < 1e-9);

    place.file("larger.yaml", &PLANE.replace("batch: 64", "batch: 64, depth: 64"));
    assert!(!place.run(&["plan", "larger.yaml"]).ok().contains("as on "));
    let unreachable = place.run(&["plan", "plane.yaml", "--coordinator", &free_address()]);
    assert!(
        unreachable.stderr.contains("no estimate of time and disk: no coordinator answers"),
        "{unreachable:#?}"
    );
    unreachable.ok();
}
