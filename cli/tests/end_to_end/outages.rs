//! Processes die, and nothing acknowledged is lost or counts twice.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::SqliteConnection;

use crate::{Place, eventually, free_address};

/// Long enough to be interrupted, and without line scores, which take seconds.
pub(crate) const LONG: &str = "
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
  total_kimg: 6
  eval_kimg: 2
checkpoint: {every_kimg: 1}
";

/// What a run's points must be: its index, and each metric with step and bits.
pub(crate) async fn points(database: &mut SqliteConnection) -> Vec<(i64, String, i64, f64)> {
    sqlx::query_as(
        "select r.idx, m.name, m.step, m.value from metrics m join runs r on r.id = m.run_id
         order by r.idx, m.name, m.step",
    )
    .fetch_all(database)
    .await
    .unwrap()
}

#[track_caller]
pub(crate) fn assert_same(points: &[(i64, String, i64, f64)], undisturbed: &[(i64, String, i64, f64)]) {
    let differs = points.iter().zip(undisturbed).find(|(point, expected)| point != expected);
    assert_eq!(differs, None, "every point once, with the same bits as in an undisturbed sweep");
    assert_eq!(points.len(), undisturbed.len());
}

/// The points of the sweep when nothing happens to it, on as many slots: the number of threads that a
/// trainer has is part of what fixes its bits.
pub(crate) async fn undisturbed() -> Vec<(i64, String, i64, f64)> {
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
    let url = address.clone();
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
    assert_same(&points(&mut database).await, &undisturbed().await);
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
    let interrupted = place.start(&["run", "long.yaml", "--slots", "2"]);
    // A run that is interrupted before its first step has nothing to go on from.
    eventually("both runs have a checkpoint", || {
        std::fs::read_dir(place.path(".acai/runs")).is_ok_and(|runs| {
            runs.flatten().filter(|run| run.path().join("resume.json").is_file()).count() == 2
        })
    });
    interrupted.interrupt();
    let interrupted = interrupted.wait();
    assert_eq!(interrupted.code, Some(130), "{interrupted:#?}");
    assert!(interrupted.stderr.contains("run the same command to go on"), "{interrupted:#?}");

    place.run(&["run", "long.yaml", "--slots", "2"]).ok();
    // The file alone, as somebody keeps it who copies it.
    std::fs::copy(place.path(".acai/acai.db"), place.path("copy.db")).unwrap();
    let mut database = place.database("copy.db").await;
    assert_same(&points(&mut database).await, &undisturbed().await);
    let outcomes: Vec<(i64, i64, String)> =
        sqlx::query_as("select run_id, number, outcome from attempts order by run_id, number")
            .fetch_all(&mut database)
            .await
            .unwrap();
    let expected = [(1, 1, "released"), (1, 2, "completed"), (2, 1, "released"), (2, 2, "completed")];
    assert_eq!(outcomes, expected.map(|(run, number, outcome)| (run, number, outcome.to_owned())));
    let replayed: i64 = sqlx::query_scalar("select sum(replay_mismatches) from attempts")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(replayed, 0);
    // They went on from their checkpoints: the second attempts did not report the first steps again.
    let repeated: i64 = sqlx::query_scalar(
        "select count(*) from attempts a
         where a.number = 2 and a.acked_seq >= (select count(*) from metrics m where m.run_id = a.run_id)",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert_eq!(repeated, 0);
}

#[tokio::test]
async fn a_worker_whose_processes_are_all_told_to_end_hands_its_runs_back_with_checkpoints() {
    let place = Place::new();
    // No checkpoint is due before the last step.
    place.file("long.yaml", &LONG.replace("every_kimg: 1", "every_kimg: 6"));
    let address = free_address();
    let url = address.clone();
    let _coordinator = place.start(&["coordinator", "--db", "sqlite:acai.db", "--listen", &address]);
    eventually("the coordinator listens", || {
        place.run(&["submit", "long.yaml", "--coordinator", &url]).code == Some(0)
    });
    let worker = place.start(&["worker", "--coordinator", &url, "--slots", "2"]);
    eventually("both runs are under way", || {
        let runs = place.run(&["runs", "long", "--coordinator", &url, "--format", "json"]).stdout;
        let runs = serde_json::from_str::<Value>(&runs).unwrap_or_default();
        let step = |run: &Value| run["step"].as_u64();
        runs["runs"].as_array().is_some_and(|runs| runs.iter().all(|run| step(run) > Some(0)))
    });
    worker.terminate_all();
    let ended = worker.wait();

    let mut database = place.database("acai.db").await;
    let attempts: Vec<(i64, String, i64)> = sqlx::query_as(
        "select a.run_id, a.outcome, count(c.step) from attempts a
         left join checkpoints c on c.run_id = a.run_id and c.state = 'committed'
         group by a.run_id, a.number",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    assert_eq!(attempts, [1, 2].map(|run| (run, "released".to_owned(), 1)), "{ended:#?}");
}

#[tokio::test]
async fn the_database_file_alone_is_the_database_when_a_coordinator_was_told_to_end() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = Place::new();
        place.file("long.yaml", LONG);
        let address = free_address();
        let url = address.clone();
        let coordinator = place.start(&["coordinator", "--db", "sqlite:acai.db", "--listen", &address]);
        eventually("the coordinator listens", || {
            place.run(&["submit", "long.yaml", "--coordinator", &url]).code == Some(0)
        });
        kill_process(Pid::from_child(&coordinator.child), signal).unwrap();
        assert_eq!(coordinator.wait().code, Some(0));
        std::fs::copy(place.path("acai.db"), place.path("copy.db")).unwrap();
        let runs: i64 = sqlx::query_scalar("select count(*) from runs")
            .fetch_one(&mut place.database("copy.db").await)
            .await
            .unwrap();
        assert_eq!(runs, 2);
    }
}

#[test]
fn a_coordinator_and_a_worker_whose_logs_nobody_reads_any_more_end_when_they_are_told_to() {
    let place = Place::new();
    let address = free_address();
    let listening = || place.run(&["ls", "--coordinator", &address]).code == Some(0);
    let mut coordinator = place.start(&["coordinator", "--listen", &address]);
    eventually("the coordinator listens", listening);
    let mut worker = place.start(&["worker", "--coordinator", &address, "--slots", "1"]);
    let known = || place.run(&["workers", "--coordinator", &address]).stdout.contains("alive");
    eventually("the worker is known", known);
    for (process, code) in [(&mut worker, 143), (&mut coordinator, 0)] {
        drop(process.child.stderr.take());
        process.signal(Signal::TERM);
        eventually("the process ends", || process.child.try_wait().unwrap().is_some());
        assert_eq!(process.child.wait().unwrap().code(), Some(code));
    }
}
