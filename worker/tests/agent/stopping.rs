//! Stopping a worker, and going on from the checkpoints that it left.

use std::time::{Duration, Instant};

use acai_access::AccessFile;
use acai_worker::{Summary, TimeLimit};

use crate::coordinator::{Coordinator, End, Fault};
use crate::setup::{LONG, Machine, attempt, group};

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_worker_gives_its_run_back_and_the_next_attempt_resumes_from_its_checkpoint() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.requeues = true);
    let scenario = "metric 7 1; read -r command
        echo \"$command\" > $data/command; metric 7 2; checkpoint 7 2; stopped 7 2";
    let machine = Machine::new(&coordinator, scenario);
    let shutdown = async {
        coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
    };
    let summary = machine.work_until(shutdown).await.unwrap();
    assert_eq!(summary, Summary { released: 1, ..Summary::default() });
    let command = std::fs::read_to_string(machine.file("command")).unwrap();
    assert_eq!(command.trim(), r#"{"command":"shutdown"}"#);

    machine.follow("case $start in *attempt-1/step-2*) metric 7 3; checkpoint 7 3; finished 7 3;; esac");
    let summary = machine.work().await.unwrap();
    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });

    coordinator.read(|state| {
        let steps = |number| state.points[&attempt(7, number)].iter().map(|point| point.step);
        assert!(steps(1).eq([1, 2]) && steps(2).eq([3]));
        let completed = End::Completed { step: 3, last_seq: 1 };
        assert_eq!(state.ends, [(attempt(7, 1), End::Released), (attempt(7, 2), completed)]);
    });
    assert!(machine.run_file(7, "attempt-2/step-3").exists());
    assert!(!machine.run_file(7, "attempt-1").exists(), "only the trained model is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_time_ends_claims_nothing_more_and_gives_its_run_back() {
    let coordinator = Coordinator::start(LONG, [group([7]), group([8])]).await;
    let mut machine = Machine::new(&coordinator, "metric 7 1; read -r command; checkpoint 7 1; stopped 7 1");
    let now = tokio::time::Instant::now();
    let later = now + Duration::from_millis(1500);
    machine.config.time_limit = Some(TimeLimit { claims_until: later, hand_back_at: later });
    machine.config.idle_timeout = None;
    let summary = machine.work().await.unwrap();
    assert_eq!(summary, Summary { released: 1, ..Summary::default() });
    coordinator.read(|state| assert_eq!(state.ends, [(attempt(7, 1), End::Released)]));

    machine.config.time_limit = Some(TimeLimit { claims_until: now, hand_back_at: now + LONG });
    let begun = Instant::now();
    let summary = machine.work().await.unwrap();
    assert_eq!(summary, Summary::default(), "run 8 is left to others");
    assert!(begun.elapsed() < LONG / 2, "there is nothing to wait for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_the_trainer_refuses_is_not_resumed_from_again() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.requeues = true);
    let scenario = "case $start in
        *'\"resume\":null'*) metric 7 1; finished 7 1;;
        *) failed 7 0 checkpoint 'the checkpoint is of another seed';;
    esac";
    let machine = Machine::new(&coordinator, scenario);
    std::fs::create_dir_all(machine.run_file(7, "attempt-0")).unwrap();
    std::fs::write(machine.run_file(7, "attempt-0/step-5"), "of another seed").unwrap();
    let record = r#"{"checkpoints":[{"step":5,"file":"attempt-0/step-5"}]}"#;
    std::fs::write(machine.run_file(7, "resume.json"), record).unwrap();

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, released: 1, ..Summary::default() });
    assert!(machine.run_file(7, "attempt-0/step-5.refused").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_ignores_the_shutdown_is_killed_after_the_grace() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let mut machine = Machine::new(&coordinator, "echo $$ > $data/trainer; metric 7 1; exec sleep 1000");
    machine.config.grace = Duration::from_millis(300);
    let stopped = std::cell::Cell::new(Instant::now());
    let shutdown = async {
        coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
        stopped.set(Instant::now());
    };

    let summary = machine.work_until(shutdown).await.unwrap();

    assert_eq!(summary, Summary { released: 1, ..Summary::default() });
    assert!(stopped.get().elapsed() < Duration::from_secs(5));
    assert!(!machine.is_running("trainer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_worker_ends_in_time_even_when_the_coordinator_is_away() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let mut machine = Machine::new(&coordinator, "metric 7 1; read -r command; stopped 7 1");
    machine.config.grace = Duration::from_millis(300);
    let shutdown = async {
        coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
        coordinator.change(|state| state.down = ["report", "renew", "release"].into());
    };

    let started = Instant::now();
    let summary = machine.work_until(shutdown).await.unwrap();

    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(summary.cut_short, "{summary:?}");
    assert_eq!(coordinator.read(|state| state.ends.clone()), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_worker_gives_its_run_back_even_when_a_checkpoint_cannot_be_uploaded() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.down = ["upload"].into());
    let scenario = "metric 7 1; read -r command; metric 7 2; checkpoint 7 2; stopped 7 2";
    let mut machine = Machine::new(&coordinator, scenario);
    machine.config.grace = Duration::from_millis(300);
    let shutdown = coordinator.until(|state| state.points.contains_key(&attempt(7, 1)));

    let summary = machine.work_until(shutdown).await.unwrap();

    assert_eq!(summary, Summary { released: 1, ..Summary::default() });
    coordinator.read(|state| assert_eq!(state.points[&attempt(7, 1)].len(), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_after_it_resumed_keeps_its_checkpoint() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, "failed 7 0 error 'no such dataset on this machine'");
    std::fs::create_dir_all(machine.run_file(7, "attempt-0")).unwrap();
    std::fs::write(machine.run_file(7, "attempt-0/step-5"), "weights").unwrap();
    let record = r#"{"checkpoints":[{"step":5,"file":"attempt-0/step-5"}]}"#;
    std::fs::write(machine.run_file(7, "resume.json"), record).unwrap();

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { failed: 1, ..Summary::default() });
    assert!(machine.run_file(7, "attempt-0/step-5").exists());
    assert_eq!(coordinator.read(|state| state.rejected.clone()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_does_not_resume_from_a_checkpoint_of_another_databases_run_with_the_same_number() {
    let scenario = "case $start in *'\"resume\":null'*) checkpoint 7 1; finished 7 1;; esac";
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, scenario);
    assert_eq!(machine.work().await.unwrap(), Summary { completed: 1, ..Summary::default() });
    let other = Coordinator::start(LONG, [group([7])]).await;
    other.change(|state| state.database = "second".into());
    let mut machine = machine;
    machine.config.coordinator = AccessFile::open(&other.url);
    assert_eq!(machine.work().await.unwrap(), Summary { completed: 1, ..Summary::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_coordinator_comes_back_with_another_database_ends() {
    let coordinator = Coordinator::start(LONG, []).await;
    let machine = Machine::new(&coordinator, "");
    coordinator.change(|state| drop(state.faults.insert("claim", [Fault::Unavailable; 1000].into())));
    let replaced = async {
        // A worker that claims has registered.
        coordinator.until(|state| state.faults["claim"].len() < 1000).await;
        coordinator.change(|state| state.database = "second".into());
    };
    let (ended, ()) = tokio::join!(machine.work(), replaced);
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("another database") && error.contains(&coordinator.url), "{error}");
}
