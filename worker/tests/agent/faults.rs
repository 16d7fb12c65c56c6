//! Calls, answers and leases that get lost.

use std::collections::VecDeque;
use std::time::Duration;

use acai_access::AccessFile;
use acai_worker::{Summary, WorkerError};

use crate::coordinator::{Coordinator, End, Fault};
use crate::setup::{LONG, Machine, attempt, group};

#[tokio::test(flavor = "multi_thread")]
async fn points_arrive_once_each_and_in_order_whatever_is_lost_on_the_way() {
    use Fault::{LostReply, Partial, Unavailable};
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| {
        state.faults.insert("register", [Unavailable].into());
        state.faults.insert("claim", [Unavailable, LostReply].into());
        let report = [Unavailable, LostReply, Partial(300), Partial(0), LostReply, Unavailable];
        state.faults.insert("report", report.into());
        state.faults.insert("complete", [Unavailable, LostReply, LostReply].into());
    });
    let scenario = "for i in $(seq 2500); do metric 7 $i; done; checkpoint 7 2500; finished 7 2500";
    let machine = Machine::new(&coordinator, scenario);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    coordinator.read(|state| {
        let points = &state.points[&attempt(7, 1)];
        let seen: Vec<(u64, f64)> = points.iter().map(|point| (point.step, point.value)).collect();
        let sent: Vec<(u64, f64)> = (1..=2500).map(|step| (step, step as f64 + 0.5)).collect();
        assert_eq!(seen, sent);
        assert!(state.reports.iter().all(|report| report.points.len() <= 1000));
        let completed = End::Completed { step: 2500, last_seq: 2500 };
        assert_eq!(state.ends, [(attempt(7, 1), completed)]);
        assert!(state.faults.values().all(VecDeque::is_empty), "not all faults happened: {:?}", state.faults);
    });
    assert!(machine.run_file(7, "attempt-1/step-2500").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_counts_only_when_the_points_before_it_are_acknowledged() {
    let lease = Duration::from_millis(900);
    let coordinator = Coordinator::start(lease, [group([7])]).await;
    coordinator.change(|state| state.down.extend(["report"]));
    let scenario = "metric 7 1; checkpoint 7 1; progress 7 2; read -r command; stopped 7 2";
    let machine = Machine::new(&coordinator, scenario);

    let shutdown = async {
        // A report of step 2 shows that the checkpoint has been taken in; meanwhile the lease is kept.
        coordinator.until(|state| state.reports.iter().any(|report| report.step == 2)).await;
        let renewals = coordinator.read(|state| state.renewals);
        coordinator.until(|state| state.renewals > renewals + 4).await;
        assert!(!machine.run_file(7, "resume.json").exists());
        coordinator.change(|state| state.down.clear());
    };
    let summary = machine.work_until(shutdown).await.unwrap();

    assert_eq!(summary, Summary { released: 1, ..Summary::default() });
    assert_eq!(coordinator.read(|state| state.points[&attempt(7, 1)].len()), 1);
    let committed = std::fs::read_to_string(machine.run_file(7, "resume.json")).unwrap();
    assert!(committed.contains("attempt-1/step-1"), "{committed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_or_a_full_spool_makes_the_trainer_wait_and_loses_nothing() {
    let one_point = 50;
    for (queue_points, spool_bytes) in [(100, usize::MAX), (usize::MAX, 100 * one_point)] {
        let coordinator = Coordinator::start(LONG, [group([7])]).await;
        coordinator.change(|state| state.down.extend(["report"]));
        let scenario = "for i in $(seq 4000); do metric 7 $i; done; touch $data/all-said; finished 7 4000";
        let mut machine = Machine::new(&coordinator, scenario);
        machine.config.queue_points = queue_points;
        machine.config.spool_bytes = spool_bytes;

        let outage = async {
            coordinator.until(|state| state.reports.len() > 3).await;
            assert!(!machine.file("all-said").exists());
            assert!(coordinator.read(|state| state.reports.iter().all(|report| report.points.len() <= 100)));
            coordinator.change(|state| state.down.clear());
        };
        let (summary, ()) = tokio::join!(machine.work(), outage);

        assert_eq!(summary.unwrap().completed, 1);
        coordinator.read(|state| {
            let steps = state.points[&attempt(7, 1)].iter().map(|point| point.step);
            assert!(steps.eq(1..=4000));
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_the_coordinators_database_has_lost_does_not_hold_its_slot_and_its_worker_goes_on() {
    let coordinator = Coordinator::start(LONG, [group([7]), group([8])]).await;
    coordinator.change(|state| {
        state.faults.insert("claim", [Fault::Damaged].into());
        state.faults.insert("report", [Fault::Damaged; 1000].into());
    });
    let scenario = "case $start in *'\"run\":8,'*) finished 8 9; exit 0;; esac
        metric 7 1; while :; do progress 7 1; sleep 0.05; done";
    let machine = Machine::new(&coordinator, scenario);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, failed: 1, ..Summary::default() });
    let (ended, end) = coordinator.read(|state| state.ends[0].clone());
    assert_eq!(ended, attempt(7, 1));
    assert!(
        matches!(&end, End::Failed { message, .. } if message.contains("database is damaged")),
        "{end:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_of_a_worker_that_is_refused_names_its_version_and_the_coordinators() {
    let coordinator = Coordinator::start(LONG, []).await;
    coordinator.change(|state| drop(state.faults.insert("claim", [Fault::Refused; 2].into())));
    let error = Machine::new(&coordinator, "").work().await.unwrap_err().to_string();
    for part in ["`stripes` is missing", "version 9.8.7", env!("CARGO_PKG_VERSION")] {
        assert!(error.contains(part), "{error}");
    }
}

const ENDLESS: &str = "echo $$ > $data/trainer; sleep 1000 & echo $! > $data/child; metric 7 1; wait";

#[tokio::test(flavor = "multi_thread")]
async fn the_trainer_of_a_fenced_attempt_is_killed_and_the_attempt_reports_nothing_more() {
    // The coordinator says so either in answer to a report or in answer to a renewal.
    for scenario in [ENDLESS, &format!("{}; progress 7 2; wait", ENDLESS.trim_end_matches("; wait"))] {
        let coordinator = Coordinator::start(Duration::from_millis(900), [group([7])]).await;
        let machine = Machine::new(&coordinator, scenario);

        let fence = async {
            coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
            coordinator.change(|state| state.fenced.extend([attempt(7, 1)]));
        };
        let (summary, ()) = tokio::join!(machine.work(), fence);

        assert_eq!(summary.unwrap(), Summary { lost: 1, ..Summary::default() });
        assert!(!machine.is_running("trainer") && !machine.is_running("child"));
        assert_eq!(coordinator.read(|state| state.ends.clone()), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_is_not_there_is_an_error_that_names_the_address() {
    let coordinator = Coordinator::start(LONG, []).await;
    let mut machine = Machine::new(&coordinator, "");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    machine.config.coordinator = AccessFile::open(&format!("http://{nobody}"));
    let error = machine.work().await.unwrap_err();
    assert!(matches!(error, WorkerError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&nobody.to_string()), "{error}");

    for nonsense in ["not an address", "localhost:7070"] {
        machine.config.coordinator = AccessFile::open(nonsense);
        let error = machine.work().await.unwrap_err();
        assert!(matches!(error, WorkerError::Connect(_)), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_token_is_not_taken_ends_at_its_start_with_the_coordinators_words() {
    let coordinator = Coordinator::start(LONG, []).await;
    coordinator.change(|state| drop(state.faults.insert("register", [Fault::Denied].into())));
    let error = Machine::new(&coordinator, "").work().await.unwrap_err();
    assert!(matches!(error, WorkerError::Denied { .. }), "{error:?}");
    assert!(error.to_string().contains("the token was revoked"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_for_a_while_costs_a_run_nothing() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| {
        for call in ["claim", "report", "stat", "upload", "commit", "complete"] {
            state.faults.insert(call, [Fault::Denied, Fault::Denied].into());
        }
    });
    let machine = Machine::new(&coordinator, "metric 7 1; checkpoint 7 1; finished 7 1");
    assert_eq!(machine.work().await.unwrap(), Summary { completed: 1, ..Summary::default() });
    coordinator.read(|state| {
        assert_eq!(state.ends, [(attempt(7, 1), End::Completed { step: 1, last_seq: 1 })]);
        assert!(state.faults.values().all(VecDeque::is_empty), "not all faults happened: {:?}", state.faults);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_attempt_that_a_coordinator_of_the_first_release_fences_does_not_hold_its_slot() {
    let coordinator = Coordinator::start(LONG, [group([7]), group([8])]).await;
    coordinator.change(|state| {
        state.first_release = true;
        state.fenced.insert(attempt(7, 1));
    });
    let scenario = "case $start in *'\"run\":8,'*) finished 8 9; exit 0;; esac; finished 7 9";
    let machine = Machine::new(&coordinator, scenario);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, lost: 1, ..Summary::default() });
}
