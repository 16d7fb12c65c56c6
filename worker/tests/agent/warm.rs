//! Trainers that stay for the next group.

use std::time::Duration;

use acai_worker::Summary;

use crate::coordinator::Coordinator;
use crate::setup::{LONG, Machine, group, until};

/// Notes its process and its command, and completes its only run.
const COMPLETES: &str = "echo $$ >> $data/trainers; echo $$ > $data/trainer; echo \"$start\" >> $data/starts
    run=$(echo \"$start\" | sed 's/.*\"run\":\\([0-9]*\\).*/\\1/'); finished $run 1";

/// The processes of the trainers, one a group, in their order.
fn trainers(machine: &Machine) -> Vec<String> {
    std::fs::read_to_string(machine.file("trainers")).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_can_stay_trains_the_next_groups_too_and_ends_with_the_worker() {
    let coordinator = Coordinator::start(LONG, [group([7]), group([8]), group([9])]).await;
    let machine = Machine::new(&coordinator, COMPLETES);
    machine.before_ready("can_stay=true");

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 3, ..Summary::default() });
    let trainers = trainers(&machine);
    assert!(trainers.len() == 3 && trainers.iter().all(|trainer| *trainer == trainers[0]), "{trainers:?}");
    until(|| !machine.is_running("trainer")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_says_nothing_of_staying_is_told_nothing_of_it_and_trains_one_group() {
    let coordinator = Coordinator::start(LONG, [group([7]), group([8])]).await;
    let machine = Machine::new(&coordinator, COMPLETES);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 2, ..Summary::default() });
    let trainers = trainers(&machine);
    assert!(trainers.len() == 2 && trainers[0] != trainers[1], "{trainers:?}");
    assert!(!std::fs::read_to_string(machine.file("starts")).unwrap().contains("stay"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_whose_run_has_failed_does_not_stay() {
    let coordinator = Coordinator::start(LONG, [group([7]), group([8])]).await;
    let fails = "echo $$ >> $data/trainers; failed 7 1 error 'no such model'";
    let scenario = format!("case $start in *'\"run\":7,'*) {fails};; *) {COMPLETES};; esac");
    let machine = Machine::new(&coordinator, &scenario);
    machine.before_ready("can_stay=true");

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, failed: 1, ..Summary::default() });
    let trainers = trainers(&machine);
    assert!(trainers.len() == 2 && trainers[0] != trainers[1], "{trainers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_that_breaks_before_it_says_anything_about_its_next_group_costs_that_nothing() {
    for breaks in ["exec sleep 1000", "exit 3", "finished 7 1; exec sleep 1000", "kill -KILL $$"] {
        let coordinator = Coordinator::start(LONG, [group([7]), group([8])]).await;
        let scenario =
            format!("if [ -n \"$has_trained\" ]; then {breaks}; fi; has_trained=true; {COMPLETES}");
        let mut machine = Machine::new(&coordinator, &scenario);
        machine.before_ready("can_stay=true");
        machine.config.trainer_silence = Duration::from_secs(1);

        let summary = machine.work().await.unwrap();

        assert_eq!(summary, Summary { completed: 2, ..Summary::default() }, "`{breaks}`");
        let trainers = trainers(&machine);
        assert!(trainers.len() == 2 && trainers[0] != trainers[1], "`{breaks}`: {trainers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_breaks_a_new_trainer_too_is_charged() {
    let coordinator = Coordinator::start(LONG, [group([7]), group([8])]).await;
    let breaks = "echo $$ >> $data/trainers; exec sleep 1000";
    let scenario = format!("case $start in *'\"run\":8,'*) {breaks};; *) {COMPLETES};; esac");
    let mut machine = Machine::new(&coordinator, &scenario);
    machine.before_ready("can_stay=true");
    machine.config.trainer_silence = Duration::from_secs(1);

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, failed: 1, ..Summary::default() });
    let trainers = trainers(&machine);
    assert!(trainers.len() == 3 && trainers[0] == trainers[1] && trainers[1] != trainers[2], "{trainers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trainer_without_a_next_group_ends_after_a_while_and_at_once_when_the_worker_stops() {
    for (trainer_idle, stops) in [(Duration::from_millis(50), false), (LONG, true)] {
        let coordinator = Coordinator::start(LONG, [group([7])]).await;
        let mut machine = Machine::new(&coordinator, COMPLETES);
        machine.before_ready("can_stay=true");
        machine.config.idle_timeout = None;
        machine.config.trainer_idle = trainer_idle;
        let watching = async {
            coordinator.until(|state| !state.ends.is_empty()).await;
            if stops {
                assert!(machine.is_running("trainer"));
            } else {
                until(|| !machine.is_running("trainer")).await;
            }
        };

        machine.work_until(watching).await.unwrap();

        until(|| !machine.is_running("trainer")).await;
    }
}
