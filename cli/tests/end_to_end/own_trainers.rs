//! A program of one's own trains behind a real worker: the example of docs/trainer.md.

use crate::outages::{assert_same, points};
use crate::{Place, eventually};

const EXAMPLE: &str = include_str!("../../../examples/trainer.py");

/// Long enough to be interrupted: some seconds of plain Python.
const SWEEP: &str = "
version: 1
name: own
metric: reconstruction_mse
parameters:
  model: baseline
  dataset: lines32
  lr: [0.001, 0.002]
  batch: 16
  total_kimg: 1000
  eval_kimg: 100
checkpoint: {every_kimg: 50}
";

/// Parameters and a score that only the example knows.
const DECLARED: &str = "
version: 1
name: own
metric: {name: eval/angle, goal: min}
trainer:
  parameters: {scatter: {type: float, min: 0}, shape: {type: word, choices: [line, curve], default: line}}
  metrics: [eval/angle]
parameters: {model: baseline, dataset: lines32, lr: 0.05, batch: 16, total_kimg: 4, scatter: [0.5, 0]}
seeds: 2
";

/// Both runs are one group.
const RUN: [&str; 8] =
    ["run", "own.yaml", "--trainer", "examples/trainer.py", "--slots", "1", "--group-size", "2"];

fn place(sweep: &str) -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("examples")).unwrap();
    place.program("examples/trainer.py", EXAMPLE);
    place.file("own.yaml", sweep);
    place
}

#[tokio::test]
async fn the_example_goes_on_from_its_checkpoints_and_reports_the_points_of_an_undisturbed_sweep() {
    let undisturbed = place(SWEEP);
    let table = undisturbed.run(&RUN).ok();
    assert!(table.contains("eval/reconstruction_mse") && table.contains("0.001"), "{table}");

    let place = place(SWEEP);
    let interrupted = place.start(&RUN);
    eventually("both runs have a checkpoint", || {
        ["own-0", "own-1"].iter().all(|run| place.path(&format!(".acai/runs/{run}/resume.json")).is_file())
    });
    interrupted.interrupt();
    let interrupted = interrupted.wait();
    assert_eq!(interrupted.code, Some(130), "{interrupted:#?}");
    assert!(interrupted.stderr.contains("0 of 2 runs completed"), "{interrupted:#?}");
    assert_eq!(place.run(&RUN).ok(), table);

    let mut database = place.database(".acai/acai.db").await;
    let mut expected = undisturbed.database(".acai/acai.db").await;
    assert_same(&points(&mut database).await, &points(&mut expected).await);
    let attempts: Vec<(i64, String, i64, bool)> = sqlx::query_as(
        "select number, outcome, replay_mismatches,
             acked_seq < (select count(*) from metrics m where m.run_id = a.run_id)
         from attempts a order by run_id, number",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    let of_a_run = [(1, "released".to_owned(), 0, true), (2, "completed".to_owned(), 0, true)];
    assert_eq!(attempts, [of_a_run.clone(), of_a_run].concat(), "no attempt reported every point");

    let pictures = place.run(&["artifacts", "ls", "own"]).ok();
    assert!(pictures.contains("line.svg"), "{pictures}");
}

#[tokio::test]
async fn declared_parameters_reach_the_trainer_and_its_score_sorts_the_table() {
    let place = place(DECLARED);
    let plan = place.run(&["plan", "own.yaml"]).ok();
    let headings = plan.lines().next().unwrap();
    assert_eq!(headings.split_whitespace().collect::<Vec<_>>(), ["run", "scatter", "seed"], "{plan}");
    assert!(plan.contains("shape=line"), "{plan}");

    let table = place.run(&RUN).ok();
    let best = table.lines().find(|line| line.starts_with('*')).unwrap();
    assert_eq!(best.split_whitespace().nth(1), Some("0"), "without scatter the line is found best:\n{table}");
    assert!(table.contains("eval/angle"), "{table}");
    let grouped = place.run(&["results", "own", "--group-by", "shape", "--metric", "eval/angle:max"]).ok();
    assert!(grouped.contains("shape") && grouped.contains("line"), "{grouped}");
    let runs = place.run(&["runs", "own", "--format", "csv"]).ok();
    assert!(runs.lines().next().unwrap().split(',').any(|heading| heading == "scatter"), "{runs}");
    let shown = place.run(&["show", "own/0"]).ok();
    assert!(shown.contains("scatter") && !shown.contains("acai-trainer train"), "{shown}");

    // The same file again asks for the same runs.
    assert_eq!(place.run(&RUN).ok(), table);
    let mut database = place.database(".acai/acai.db").await;
    let attempts: i64 =
        sqlx::query_scalar("select count(*) from attempts").fetch_one(&mut database).await.unwrap();
    assert_eq!(attempts, 4);
}

#[test]
fn the_built_in_trainer_refuses_runs_with_parameters_that_it_does_not_know() {
    let place = place(&DECLARED.replace("seeds: 2", "seeds: 1\nmax_restarts: 0"));
    let refused = place.run(&["run", "own.yaml", "--slots", "1"]);
    assert_ne!(refused.code, Some(0), "{refused:#?}");
    assert!(refused.stderr.contains("the sweep file declares `scatter`, `shape`"), "{refused:#?}");
}
