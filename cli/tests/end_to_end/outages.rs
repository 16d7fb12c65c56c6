//! Processes die, and nothing acknowledged is lost or counts twice.

use serde_json::Value;
use sqlx::SqliteConnection;

use crate::{Place, eventually, free_address};

/// Long enough to be interrupted, and without line scores, which take seconds.
const LONG: &str = "
version: 1
name: long
metric: {name: eval/latent_accuracy, goal: maximize}
parameters:
  model: acai
  dataset: digits32
  lambda: [0.1, 0.5]
  depth: 2
  latent: 2
  batch: 16
  total_kimg: 12
  eval_kimg: 2
checkpoint: {every_kimg: 1}
";

/// What a run's points must be: its index, and each metric with step and bits.
async fn points(database: &mut SqliteConnection) -> Vec<(i64, String, i64, f64)> {
    sqlx::query_as(
        "select r.idx, m.name, m.step, m.value from metrics m join runs r on r.id = m.run_id
         order by r.idx, m.name, m.step",
    )
    .fetch_all(database)
    .await
    .unwrap()
}

/// The points of the sweep when nothing happens to it.
async fn undisturbed() -> Vec<(i64, String, i64, f64)> {
    let place = Place::new();
    place.file("long.yaml", LONG);
    place.run(&["run", "long.yaml", "--slots", "2"]).ok();
    points(&mut place.database(".acai/acai.db").await).await
}

#[tokio::test]
async fn a_killed_coordinator_restarted_on_the_same_file_finishes_the_sweep() {
    let place = Place::new();
    place.file("long.yaml", LONG);
    let address = free_address();
    let url = format!("http://{address}");
    let coordinator = ["coordinator", "--db", "sqlite:acai.db", "--listen", &address];
    let ask = |command: &str| place.run(&[command, "long", "--coordinator", &url, "--json"]);
    let status = || serde_json::from_str::<Value>(&ask("status").stdout).unwrap_or_default();

    let mut first = place.start(&coordinator);
    eventually("the coordinator listens", || {
        place.run(&["submit", "long.yaml", "--coordinator", &url]).code == Some(0)
    });
    let worker = place.start(&["worker", "--coordinator", &url, "--slots", "2", "--idle-timeout", "3"]);
    eventually("both runs are under way", || status()["sweep"]["images_done"].as_u64() > Some(2048));
    first.kill();
    // A coordinator is away for a while; training goes on, and the worker keeps what it has to report.
    eventually("the coordinator is gone", || ask("status").code == Some(1));
    let _second = place.start(&coordinator);
    eventually("the sweep is completed", || status()["sweep"]["states"]["completed"] == 2);
    assert_eq!(worker.wait().code, Some(0));

    let mut database = place.database("acai.db").await;
    assert_eq!(points(&mut database).await, undisturbed().await, "every point once, with the same bits");
    let attempts: Vec<(i64, String, i64)> =
        sqlx::query_as("select number, outcome, replay_mismatches from attempts")
            .fetch_all(&mut database)
            .await
            .unwrap();
    assert_eq!(attempts, vec![(1, "completed".to_owned(), 0); 2], "training was not even interrupted");
}

#[tokio::test]
async fn ctrl_c_loses_nothing_and_the_same_command_goes_on() {
    let place = Place::new();
    place.file("long.yaml", LONG);
    let interrupted = place.start(&["run", "long.yaml", "--slots", "1"]);
    eventually("the first run is under way", || {
        std::fs::read_dir(place.path(".acai/runs")).is_ok_and(|runs| {
            runs.flatten().any(|run| std::fs::read_dir(run.path()).is_ok_and(|files| files.count() > 1))
        })
    });
    interrupted.interrupt();
    let interrupted = interrupted.wait();
    assert_eq!(interrupted.code, Some(130), "{interrupted:#?}");
    assert!(interrupted.stderr.contains("run the same command to go on"), "{interrupted:#?}");

    place.run(&["run", "long.yaml", "--slots", "1"]).ok();
    let mut database = place.database(".acai/acai.db").await;
    assert_eq!(points(&mut database).await, undisturbed().await, "as if nobody had interrupted it");
    let outcomes: Vec<(i64, i64, String)> =
        sqlx::query_as("select run_id, number, outcome from attempts order by run_id, number")
            .fetch_all(&mut database)
            .await
            .unwrap();
    let released = outcomes.iter().filter(|(.., outcome)| outcome == "released").count();
    assert_eq!((released, outcomes.len()), (1, 3), "{outcomes:?}");
    let replayed: i64 = sqlx::query_scalar("select sum(replay_mismatches) from attempts")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(replayed, 0);
    // It went on from the checkpoint: the second attempt did not report the first steps again.
    let (acked, all): (i64, i64) = sqlx::query_as(
        "select a.acked_seq, (select count(*) from metrics m where m.run_id = a.run_id)
         from attempts a where a.number = 2",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert!(acked < all, "{acked} of {all} points reported after the interruption");
}
