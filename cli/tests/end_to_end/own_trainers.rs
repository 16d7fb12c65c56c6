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

/// Both runs are one group.
const RUN: [&str; 8] =
    ["run", "own.yaml", "--trainer", "examples/trainer.py", "--slots", "1", "--group-size", "2"];

fn place() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("examples")).unwrap();
    place.program("examples/trainer.py", EXAMPLE);
    place.file("own.yaml", SWEEP);
    place
}

#[tokio::test]
async fn the_example_goes_on_from_its_checkpoints_and_reports_the_points_of_an_undisturbed_sweep() {
    let undisturbed = place();
    let table = undisturbed.run(&RUN).ok();
    assert!(table.contains("eval/reconstruction_mse") && table.contains("0.001"), "{table}");

    let place = place();
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
