//! Pictures, and what trainers print, come to the coordinator, and no run that is completed waits for them.

use std::time::Duration;

use acai_worker::Summary;

use crate::coordinator::{Coordinator, Fault};
use crate::setup::{LONG, Machine, attempt, group, until};

/// Draws two pictures, and completes.
const DRAWS: &str = "artifact 7 10 reconstructions; artifact 7 16 reconstructions; finished 7 16";

fn drawn(coordinator: &Coordinator) -> Vec<(String, u64, Vec<u8>)> {
    coordinator.read(|state| {
        let artifacts = state.artifacts.iter();
        artifacts.map(|(_, name, step, bytes)| (name.clone(), *step, bytes.clone())).collect()
    })
}

fn both() -> Vec<(String, u64, Vec<u8>)> {
    [10, 16]
        .map(|step| ("reconstructions.png".to_owned(), step, format!("drawn at {step}\n").into_bytes()))
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_uploaded_and_stay_on_the_machine() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let machine = Machine::new(&coordinator, DRAWS);
    let summary = machine.work().await.unwrap();
    assert_eq!(summary.completed, 1);
    assert_eq!(drawn(&coordinator), both());
    assert!(machine.run_file(7, "pictures/reconstructions-000000010.png").is_file());
    assert!(!machine.run_file(7, "pictures/.reconstructions-000000010.png.upload").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_completed_while_its_pictures_do_not_arrive_and_the_next_worker_brings_them() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.down.extend(["add_artifact"]));
    let mut machine = Machine::new(&coordinator, DRAWS);
    machine.config.last_uploads = Duration::from_millis(50);
    let summary = machine.work().await.unwrap();
    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    assert_eq!(drawn(&coordinator), []);

    coordinator.change(|state| state.down.clear());
    machine.config.last_uploads = LONG;
    machine.work().await.unwrap();
    assert_eq!(drawn(&coordinator), both());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_the_coordinator_will_not_have_is_tried_once_and_holds_up_no_other() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| drop(state.faults.insert("add_artifact", [Fault::Refused].into())));
    let machine = Machine::new(&coordinator, DRAWS);
    machine.work().await.unwrap();
    machine.work().await.unwrap();
    assert_eq!(drawn(&coordinator), both()[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_never_ends_delays_neither_points_nor_checkpoints() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| drop(state.faults.insert("upload", [Fault::Hung].into())));
    let mut machine =
        Machine::new(&coordinator, "artifact 7 10 reconstructions; metric 7 1; read -r line; stopped 7 1");
    machine.config.last_uploads = Duration::from_millis(50);
    let working = machine.work_until(async {
        coordinator
            .until(|state| state.points.get(&attempt(7, 1)).is_some_and(|points| !points.is_empty()))
            .await;
        // The picture is on its way.
        let note = machine.run_file(7, "pictures/.reconstructions-000000010.png.upload");
        until(|| note.exists()).await;
    });
    assert_eq!(working.await.unwrap().released, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_is_told_of_each_run_whether_its_weights_are_wanted() {
    for wanted in [true, false] {
        let mut one = group([7]);
        one.runs[0].weights = wanted;
        let coordinator = Coordinator::start(LONG, [one]).await;
        let machine = Machine::new(&coordinator, "echo \"$start\" > $data/start; finished 7 16");
        machine.work().await.unwrap();
        let start = std::fs::read_to_string(machine.file("start")).unwrap();
        assert_eq!(start.contains("weights"), wanted);
        assert_eq!(start.contains("\"weights\":true"), wanted);
    }
}

/// The logs that have arrived: run, name, step, text.
fn logs(coordinator: &Coordinator) -> Vec<(u64, String, u64, String)> {
    let mut logs: Vec<_> = coordinator.read(|state| {
        let artifacts = state.artifacts.iter();
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        artifacts
            .map(|(attempt, name, step, bytes)| (attempt.run, name.clone(), *step, text(bytes)))
            .collect()
    });
    logs.sort();
    logs
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_trainer_prints_arrives_with_each_run_of_its_group_also_with_one_that_fails() {
    let coordinator = Coordinator::start(LONG, [group([7, 8])]).await;
    let scenario = "echo begun >&2; finished 7 16
        until [ -e $data/state/runs/lines-7/logs/log-1.txt ]; do sleep 0.02; done
        echo 'no such file' >&2; progress 8 12; failed 8 12 error 'cannot train'";
    let machine = Machine::new(&coordinator, scenario);
    let summary = machine.work().await.unwrap();
    assert_eq!(summary, Summary { completed: 1, failed: 1, ..Summary::default() });
    let log = |run, step, text: &str| (run, "log-1.txt".to_owned(), step, text.to_owned());
    assert_eq!(logs(&coordinator), [log(7, 16, "begun\n"), log(8, 12, "begun\nno such file\n")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_stays_leaves_each_group_the_lines_of_that_group_alone() {
    let coordinator = Coordinator::start(LONG, [group([7]), group([8]), group([9])]).await;
    let scenario = "run=$(echo \"$start\" | sed 's/.*\"run\":\\([0-9]*\\).*/\\1/')
        [ $run = 8 ] || printf \"$$ trains $run\" >&2; finished $run 1";
    let machine = Machine::new(&coordinator, scenario);
    machine.before_ready("can_stay=true; echo $$ > $data/trainer");
    machine.work().await.unwrap();
    let trainer = machine.pid("trainer");
    let log = |run| (run, "log-1.txt".to_owned(), 1, format!("{trainer} trains {run}"));
    assert_eq!(logs(&coordinator), [log(7), log(9)], "run 8's trainer has printed nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_completed_while_its_log_does_not_arrive_and_the_next_worker_brings_it() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.down.extend(["add_artifact"]));
    let mut machine = Machine::new(&coordinator, "echo printed >&2; finished 7 16");
    machine.config.last_uploads = Duration::from_millis(50);
    assert_eq!(machine.work().await.unwrap(), Summary { completed: 1, ..Summary::default() });
    assert_eq!(logs(&coordinator), []);

    coordinator.change(|state| state.down.clear());
    machine.config.last_uploads = LONG;
    machine.work().await.unwrap();
    assert_eq!(logs(&coordinator), [(7, "log-1.txt".to_owned(), 16, "printed\n".to_owned())]);
    assert!(machine.run_file(7, "logs/log-1.txt").is_file());
}
