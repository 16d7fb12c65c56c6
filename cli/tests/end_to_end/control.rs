//! People change what runs, machines come and go, and nothing acknowledged is lost.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::outages::{LONG, assert_same, points, undisturbed};
use crate::{Ended, Place, eventually, free_address};

/// A coordinator of its own, and questions to it.
struct Cluster<'p> {
    place: &'p Place,
    url: String,
    _coordinator: crate::Started,
}

impl<'p> Cluster<'p> {
    /// With short leases, so that what travels with their renewal comes soon.
    fn start(place: &'p Place) -> Self {
        place.file("long.yaml", LONG);
        let address = free_address();
        let url = address.clone();
        let coordinator =
            place.start(&["coordinator", "--db", "sqlite:acai.db", "--listen", &address, "--lease", "3"]);
        let cluster = Cluster { place, url, _coordinator: coordinator };
        eventually("the coordinator listens", || cluster.ask(&["submit", "long.yaml"]).code == Some(0));
        cluster
    }

    fn ask(&self, arguments: &[&str]) -> Ended {
        self.place.run(&[arguments, &["--coordinator", &self.url]].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ask(&[arguments, &["--json"]].concat()).stdout).unwrap_or_default()
    }

    fn run_list(&self) -> Value {
        let runs = self.ask(&["runs", "long", "--format", "json"]);
        serde_json::from_str(&runs.stdout).unwrap_or_default()
    }

    fn runs(&self, state: &str) -> u64 {
        self.json(&["status", "long"])["sweep"]["states"][state].as_u64().unwrap_or_default()
    }

    fn worker(&self, name: &str, state: &str) -> crate::Started {
        let arguments =
            ["worker", "--coordinator", &self.url, "--name", name, "--state", state, "--slots", "2"];
        self.place.start(&[&arguments[..], &["--idle-timeout", "5"]].concat())
    }

    /// Runs that could go on elsewhere. A blob alone is not enough: it has to be committed.
    async fn resumable(&self) -> i64 {
        let mut database = self.place.database("acai.db").await;
        let runs = "select count(distinct run_id) from checkpoints where state = 'committed'";
        sqlx::query_scalar(runs).fetch_one(&mut database).await.unwrap()
    }
}

#[tokio::test]
async fn a_run_goes_on_on_another_machine_from_the_coordinators_checkpoint_bit_by_bit() {
    let place = Place::new();
    let cluster = Cluster::start(&place);
    let mut first = cluster.worker("first", "first");
    let deadline = Instant::now() + Duration::from_secs(120);
    while cluster.resumable().await < 2 {
        assert!(
            Instant::now() < deadline,
            "waited in vain for a checkpoint of each run with the coordinator"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(cluster.runs("completed"), 0, "there is something left to go on with");
    first.kill();
    // All that the machine had is gone with it.
    std::fs::remove_dir_all(place.path("first")).unwrap();
    let second = cluster.worker("second", "second");
    eventually("the sweep is completed", || cluster.runs("completed") == 2);
    assert_eq!(second.wait().code, Some(0));

    let mut database = place.database("acai.db").await;
    assert_same(&points(&mut database).await, &undisturbed().await);
    let (lost, replayed, differed): (i64, i64, i64) = sqlx::query_as(
        "select sum(outcome = 'lost'), sum(outcome = 'completed' and acked_seq >= (select count(*) from metrics m
             where m.run_id = a.run_id)), sum(replay_mismatches)
         from attempts a",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert!(lost >= 1);
    assert_eq!((replayed, differed), (0, 0), "they went on from a checkpoint, and replayed the same bits");
}

#[tokio::test]
async fn a_trainer_that_is_killed_from_outside_is_not_the_runs_fault_and_people_are_told_so() {
    let place = Place::new();
    let cluster = Cluster::start(&place);
    let first = cluster.worker("first", "first");
    // A trainer that is killed before it is ready is started again.
    eventually("both runs have been trained a bit", || {
        let runs = cluster.run_list();
        runs["runs"].as_array().is_some_and(|runs| runs.iter().all(|run| run["step"].as_u64() > Some(0)))
    });
    let trainer = rustix::process::Pid::from_raw(first.trainers()[0]).unwrap();
    rustix::process::kill_process(trainer, Signal::KILL).unwrap();
    eventually("its run is given back", || cluster.runs("queued") == 1);
    let runs = cluster.run_list();
    let queued = runs["runs"].as_array().unwrap().iter().find(|run| run["state"] == "queued").unwrap();
    let explained = cluster.ask(&["explain", &format!("long/{}", queued["number"])]).ok();
    assert!(explained.contains("first: it could not train this run a moment ago"), "{explained}");
    let events = cluster.ask(&["watch", "long", "--after", "0", "--once"]).ok();
    assert!(events.contains("given back, its machine could not train it: "), "{events}");

    let second = cluster.worker("second", "second");
    eventually("the sweep is completed", || cluster.runs("completed") == 2);
    assert_eq!((first.wait().code, second.wait().code), (Some(0), Some(0)));
    let mut database = place.database("acai.db").await;
    assert_same(&points(&mut database).await, &undisturbed().await);
    let charged: i64 =
        sqlx::query_scalar("select sum(failures + losses) from runs").fetch_one(&mut database).await.unwrap();
    assert_eq!(charged, 0);
}

#[test]
fn a_worker_that_a_signal_stopped_gives_its_runs_back_and_its_exit_code_names_the_signal() {
    let place = Place::new();
    let cluster = Cluster::start(&place);
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let worker = cluster.worker("bench", "state");
        eventually("both runs are under way", || cluster.runs("running") == 2);
        // Twice, as `timeout` and shells send it: to the process and to its group.
        worker.signal(signal);
        worker.signal(signal);
        let ended = worker.wait();
        assert_eq!(ended.code, Some(code), "{ended:#?}");
        assert_eq!(cluster.runs("queued"), 2, "they do not wait for their leases to end");
    }
}

#[tokio::test]
async fn runs_are_paused_explained_resumed_cancelled_and_retried() {
    let place = Place::new();
    let cluster = Cluster::start(&place);
    let worker = cluster.worker("bench", "state");
    eventually("both runs are under way", || cluster.runs("running") == 2);
    cluster.ask(&["pause", "long", "--now"]).ok();
    eventually("both have yielded", || cluster.runs("paused") == 2);
    let status = cluster.ask(&["status", "long"]).ok();
    assert!(status.contains("paused   by request"), "{status}");
    let explained = cluster.ask(&["explain", "long/1"]).ok();
    assert!(explained.contains("long/1 is paused") && explained.contains("acai resume"), "{explained}");

    let cancelled = cluster.ask(&["cancel", "long/1"]).ok();
    assert_eq!(cancelled.trim(), "long: 1 run cancelled");
    let resumed = cluster.ask(&["resume", "long"]).ok();
    assert_eq!(resumed.trim(), "long: it goes on, 1 run resumed");
    eventually("it is under way again", || cluster.runs("running") == 1);
    cluster.ask(&["drain", "bench"]).ok();
    eventually("the drained worker has given it back", || cluster.runs("queued") == 1);
    let explained = cluster.ask(&["explain", "long/0"]).ok();
    assert!(explained.contains("bench: it is cordoned"), "{explained}");
    assert!(!explained.contains("missing"), "{explained}");
    std::fs::rename(place.path("acai.db.blobs"), place.path("elsewhere")).unwrap();
    let explained = cluster.ask(&["explain", "long/0"]).ok();
    assert!(explained.contains("is missing where the coordinator keeps blobs"), "{explained}");
    assert!(explained.contains("on any other the run starts over"), "{explained}");
    std::fs::rename(place.path("elsewhere"), place.path("acai.db.blobs")).unwrap();

    cluster.ask(&["uncordon", "bench"]).ok();
    cluster.ask(&["retry", "long", "--state", "cancelled"]).ok();
    eventually("the sweep is completed", || cluster.runs("completed") == 2);
    assert_eq!(worker.wait().code, Some(0));

    // Not one bit shows that anything happened.
    let mut database = place.database("acai.db").await;
    assert_same(&points(&mut database).await, &undisturbed().await);
    let events = cluster.ask(&["watch", "long", "--after", "0", "--once", "--json"]).ok();
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<u64> = events.iter().map(|event| event["event"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    let of = |number: u64| {
        events.iter().filter(move |event| event["number"] == number).map(|event| event["state"].clone())
    };
    let states: Vec<Value> = of(1).collect();
    assert_eq!(states, ["running", "paused", "cancelled", "queued", "running", "completed"]);
    let failures: i64 =
        sqlx::query_scalar("select sum(failures + losses) from runs").fetch_one(&mut database).await.unwrap();
    assert_eq!(failures, 0, "none of this was the runs' fault");
}
