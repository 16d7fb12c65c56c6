//! A coordinator whose database was restored from a backup: the points that it lost are trained again, and no run is
//! charged with that.

use std::time::Duration;

use acai_worker::Summary;

use crate::coordinator::{Coordinator, End, Fault};
use crate::setup::{LONG, Machine, attempt, group};

/// Restores a backup that is older than the second point, once both points are acknowledged. The trainer waits until
/// that is done.
async fn restore(coordinator: &Coordinator, machine: &Machine) {
    coordinator.until(|state| state.points.get(&attempt(7, 1)).is_some_and(|held| held.len() == 2)).await;
    coordinator.change(|state| state.points.get_mut(&attempt(7, 1)).unwrap().truncate(1));
    std::fs::write(machine.file("restored"), "").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_whose_acknowledged_points_are_gone_is_given_back_and_the_next_one_reports_them_again() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.requeues = true);
    let scenario = "metric 7 1; metric 7 2; case $start in
        *attempt-1*)
            until [ -e $data/restored ]; do sleep 0.05; done; metric 7 3
            (while sleep 0.1; do progress 7 3; done) & ticking=$!
            read -r command; kill $ticking; stopped 7 3;;
        *) metric 7 3; finished 7 3;;
    esac";
    let machine = Machine::new(&coordinator, scenario);
    let (summary, ()) = tokio::join!(machine.work(), restore(&coordinator, &machine));
    assert_eq!(summary.unwrap(), Summary { completed: 1, released: 1, ..Summary::default() });
    coordinator.read(|state| {
        assert!(state.points[&attempt(7, 2)].iter().map(|point| point.step).eq([1, 2, 3]));
        let completed = End::Completed { step: 3, last_seq: 3 };
        assert_eq!(state.ends, [(attempt(7, 1), End::Released), (attempt(7, 2), completed)]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_finishes_after_its_points_are_gone_is_given_back() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.requeues = true);
    let scenario = "metric 7 1; metric 7 2; case $start in
        *attempt-1*) until [ -e $data/restored ]; do sleep 0.05; done;;
    esac; finished 7 2";
    let machine = Machine::new(&coordinator, scenario);
    let (summary, ()) = tokio::join!(machine.work(), restore(&coordinator, &machine));
    assert_eq!(summary.unwrap(), Summary { completed: 1, released: 1, ..Summary::default() });
    coordinator.read(|state| {
        let completed = End::Completed { step: 2, last_seq: 2 };
        assert_eq!(state.ends, [(attempt(7, 1), End::Released), (attempt(7, 2), completed)]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_after_the_points_are_gone_is_not_charged_but_the_run_is_given_back() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.requeues = true);
    let scenario = "metric 7 1; metric 7 2; case $start in
        *attempt-1*) until [ -e $data/restored ]; do sleep 0.05; done; failed 7 2 diverged 'the loss is NaN';;
        *) finished 7 2;;
    esac";
    let machine = Machine::new(&coordinator, scenario);
    let (summary, ()) = tokio::join!(machine.work(), restore(&coordinator, &machine));
    assert_eq!(summary.unwrap(), Summary { completed: 1, released: 1, ..Summary::default() });
    coordinator.read(|state| {
        let completed = End::Completed { step: 2, last_seq: 2 };
        assert_eq!(state.ends, [(attempt(7, 1), End::Released), (attempt(7, 2), completed)]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_on_the_machine_is_not_resumed_from_if_the_points_before_it_are_gone() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.requeues = true);
    let scenario = "metric 7 1; metric 7 2; checkpoint 7 2; read -r command; stopped 7 2";
    let machine = Machine::new(&coordinator, scenario);
    let committed = async {
        coordinator.until(|state| !state.checkpoints.is_empty()).await;
    };
    machine.work_until(committed).await.unwrap();
    coordinator.change(|state| {
        // The backup is older than the second point.
        state.points.get_mut(&attempt(7, 1)).unwrap().truncate(1);
        state.queue[0].runs[0].earlier_attempts[0].acked_seq = 1;
    });
    machine.follow("case $start in *'\"resume\":null'*) metric 7 1; metric 7 2; finished 7 2;; esac");
    let summary = machine.work().await.unwrap();
    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    coordinator.read(|state| {
        assert!(state.points[&attempt(7, 2)].iter().map(|point| point.step).eq([1, 2]));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_checkpoint_that_the_database_has_forgotten_before_the_run_is_completed_is_handed_over_again()
{
    // The backup holds all points; in the second case the database is restored twice.
    for times in [1, 2] {
        let coordinator = Coordinator::start(LONG, [group([7])]).await;
        coordinator.change(|state| state.down.extend(["complete"]));
        let machine = Machine::new(&coordinator, "metric 7 1; checkpoint 7 1; finished 7 1");
        let restore = async {
            coordinator.until(|state| !state.checkpoints.is_empty()).await;
            for _ in 1..times {
                coordinator.change(|state| {
                    state.checkpoints.clear();
                    state.blobs.clear();
                    // After the checkpoint is handed over again, the run is completed only when the database has been
                    // restored once more.
                    state.faults.insert(
                        "complete",
                        [Fault::None, Fault::Unavailable, Fault::Unavailable, Fault::Unavailable].into(),
                    );
                    state.down.clear();
                });
                coordinator.until(|state| !state.checkpoints.is_empty()).await;
            }
            coordinator.change(|state| {
                state.checkpoints.clear();
                state.blobs.clear();
                state.down.clear();
            });
        };

        let (summary, ()) = tokio::join!(machine.work(), restore);

        assert_eq!(summary.unwrap(), Summary { completed: 1, ..Summary::default() });
        coordinator.read(|state| {
            let steps: Vec<u64> =
                state.checkpoints.iter().map(|(_, checkpoint, _)| checkpoint.step).collect();
            assert_eq!(steps, [1], "the completed run's last checkpoint is with the coordinator");
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_completes_although_its_last_checkpoint_is_forgotten_and_cannot_be_handed_over_again() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| state.down.extend(["complete"]));
    let machine = Machine::new(&coordinator, "metric 7 1; checkpoint 7 1; finished 7 1");
    let restore = async {
        coordinator.until(|state| !state.checkpoints.is_empty()).await;
        coordinator.change(|state| {
            state.checkpoints.clear();
            state.blobs.clear();
            state.faults.insert("upload", [Fault::Broken; 10].into());
            state.down.clear();
        });
    };

    let (summary, ()) = tokio::join!(machine.work(), restore);

    assert_eq!(summary.unwrap(), Summary { completed: 1, ..Summary::default() });
    assert!(machine.run_file(7, "attempt-1/step-1").exists(), "the model stays on its machine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_is_told_again_that_no_slot_rests_by_claims_and_by_renewals() {
    let training = "metric 7 1; until [ -e $data/enough ]; do progress 7 1; sleep 0.02; done; finished 7 1";
    for groups in [vec![], vec![group([7])]] {
        let trains = !groups.is_empty();
        let coordinator = Coordinator::start(Duration::from_millis(900), groups).await;
        let mut machine = Machine::new(&coordinator, training);
        machine.config.idle_timeout = None;
        let restored = async {
            if trains {
                coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
            }
            coordinator.change(|state| state.rests.push((1, "no disk, when it was backed up".into())));
            let told = coordinator.until(|state| state.rests.last().is_some_and(|(slots, _)| *slots == 0));
            tokio::time::timeout(LONG / 6, told).await.expect("the coordinator is told that no slot rests");
            std::fs::write(machine.file("enough"), "").unwrap();
        };
        machine.work_until(restored).await.unwrap();
    }
}
