//! A coordinator that does not answer for a while.

use std::time::{Duration, Instant};

use acai_worker::Summary;

use crate::coordinator::{Coordinator, End, Fault};
use crate::setup::{LONG, Machine, attempt, group, until};

const LEASE: Duration = Duration::from_millis(900);
const EVERYTHING: [&str; 7] = ["register", "claim", "renew", "report", "complete", "fail", "release"];

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_trains_on_through_an_outage_longer_than_its_lease() {
    let coordinator = Coordinator::start(LEASE, [group([7])]).await;
    let scenario = "echo start >> $data/starts; i=0
        until [ -e $data/enough ]; do i=$((i + 1)); metric 7 $i; echo $i > $data/said; sleep 0.02; done
        finished 7 $i";
    let mut machine = Machine::new(&coordinator, scenario);
    machine.config.outage = Duration::from_secs(60);

    let outage = async {
        coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
        coordinator.change(|state| state.down = EVERYTHING.into());
        // The outage is as long as it takes for a lease to lapse.
        tokio::time::sleep(3 * LEASE).await;
        let renewals = coordinator.read(|state| state.renewals);
        coordinator.change(|state| state.down.clear());
        coordinator.until(|state| state.renewals > renewals).await;
        std::fs::write(machine.file("enough"), "").unwrap();
    };
    let (summary, ()) = tokio::join!(machine.work(), outage);

    assert_eq!(summary.unwrap(), Summary { completed: 1, ..Summary::default() });
    assert_eq!(std::fs::read_to_string(machine.file("starts")).unwrap(), "start\n");
    let said: u64 = std::fs::read_to_string(machine.file("said")).unwrap().trim().parse().unwrap();
    coordinator.read(|state| {
        assert!(state.points[&attempt(7, 1)].iter().map(|point| point.step).eq(1..=said));
        let completed = End::Completed { step: said, last_seq: said };
        assert_eq!(state.ends, [(attempt(7, 1), completed)]);
    });
    assert_eq!(machine.spool(1), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_has_worked_before_waits_for_its_coordinator_when_it_is_started_again() {
    let coordinator = Coordinator::start(LEASE, [group([7])]).await;
    let mut machine = Machine::new(&coordinator, "finished 7 1");
    machine.config.outage = Duration::from_secs(60);
    assert_eq!(machine.work().await.unwrap().completed, 1);
    coordinator.change(|state| {
        state.down = EVERYTHING.into();
        state.queue.push_back(group([8]));
    });
    machine.follow("finished 8 1");
    let outage = async {
        // This is longer than a worker tries a wrong address.
        tokio::time::sleep(Duration::from_secs(6)).await;
        coordinator.change(|state| state.down.clear());
    };
    let (summary, ()) = tokio::join!(machine.work(), outage);
    assert_eq!(summary.unwrap().completed, 1);
}

const ENDLESS: &str = "echo $$ > $data/trainer; sleep 1000 & echo $! > $data/child; metric 7 1; wait";

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_was_given_to_others_during_the_outage_ends_at_once_after_it() {
    let coordinator = Coordinator::start(LEASE, [group([7])]).await;
    let mut machine = Machine::new(&coordinator, ENDLESS);
    machine.config.outage = Duration::from_secs(60);

    let outage = async {
        coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
        coordinator.change(|state| state.down = EVERYTHING.into());
        tokio::time::sleep(2 * LEASE).await;
        assert!(machine.is_running("trainer"));
        coordinator.change(|state| {
            state.fenced.extend([attempt(7, 1)]);
            state.down.clear();
        });
    };
    let (summary, ()) = tokio::join!(machine.work(), outage);

    assert_eq!(summary.unwrap(), Summary { lost: 1, ..Summary::default() });
    assert!(!machine.is_running("trainer") && !machine.is_running("child"));
    assert_eq!((coordinator.read(|state| state.ends.clone()), machine.spool(1)), (vec![], String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_stops_training_in_an_outage_that_is_longer_than_those_it_waits_out() {
    // The last confirmed renewal may be a while ago when the outage begins, so the bounds are loose.
    for (outage, at_least) in [(Duration::ZERO, Duration::ZERO), (4 * LEASE, 2 * LEASE)] {
        let coordinator = Coordinator::start(LEASE, [group([7])]).await;
        let mut machine = Machine::new(&coordinator, ENDLESS);
        machine.config.outage = outage;

        let cut_off = async {
            coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
            coordinator.change(|state| state.down = EVERYTHING.into());
            let since = Instant::now();
            until(|| !machine.is_running("trainer")).await;
            assert!(since.elapsed() >= at_least, "{:?} for {outage:?}", since.elapsed());
        };
        let (summary, ()) = tokio::join!(machine.work(), cut_off);

        assert_eq!(summary.unwrap(), Summary { lost: 1, ..Summary::default() });
        assert!(!machine.is_running("child"));
        assert_eq!(machine.spool(1), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_run_is_reported_after_an_outage_longer_than_its_lease() {
    let coordinator = Coordinator::start(LEASE, [group([7])]).await;
    coordinator.change(|state| state.down.extend(["report"]));
    let machine = Machine::new(&coordinator, "metric 7 1; finished 7 1");

    let outage = async {
        coordinator.until(|state| state.reports.len() > 1).await;
        coordinator.change(|state| state.down.extend(["renew", "claim", "register", "complete"]));
        // The outage is as long as it takes for a lease to lapse.
        tokio::time::sleep(2 * LEASE).await;
        coordinator.change(|state| state.down.clear());
    };
    let (summary, ()) = tokio::join!(machine.work(), outage);

    assert_eq!(summary.unwrap(), Summary { completed: 1, ..Summary::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_renews_in_time_after_its_coordinator_was_started_again_with_shorter_leases() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    let scenario =
        "i=0; until [ -e $data/enough ]; do i=$((i + 1)); metric 7 $i; sleep 0.02; done; finished 7 $i";
    let mut machine = Machine::new(&coordinator, scenario);
    // The second slot has no group, so the worker goes on claiming.
    machine.config.slots = Some(2);

    let restart = async {
        coordinator.until(|state| state.points.contains_key(&attempt(7, 1))).await;
        coordinator.change(|state| state.lease_ms = 600);
        // Under the terms of its registration the worker would send the first renewal 20 s after the grant.
        let renewed = coordinator.until(|state| state.renewals >= 3);
        tokio::time::timeout(LONG / 6, renewed).await.expect("the worker renews by the new terms");
        std::fs::write(machine.file("enough"), "").unwrap();
    };
    let (summary, ()) = tokio::join!(machine.work(), restart);
    assert_eq!(summary.unwrap().completed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_registers_again_when_its_coordinator_forgets_it_again_after_an_outage() {
    let refused_between_outages = [Fault::Refused, Fault::Unavailable, Fault::Refused, Fault::Unavailable];
    let refused_after_an_outage = [Fault::Unavailable, Fault::Refused, Fault::Unavailable, Fault::Refused];
    for faults in [refused_between_outages, refused_after_an_outage] {
        let coordinator = Coordinator::start(LONG, [group([7])]).await;
        coordinator.change(|state| drop(state.faults.insert("claim", faults.into())));
        let machine = Machine::new(&coordinator, "finished 7 1");

        let summary = machine.work().await.unwrap();

        assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_goes_on_after_two_refusals_with_a_failed_registration_in_between() {
    let coordinator = Coordinator::start(LONG, [group([7])]).await;
    coordinator.change(|state| drop(state.faults.insert("claim", [Fault::Refused; 2].into())));
    let machine = Machine::new(&coordinator, "finished 7 1");
    // The first registration of the worker comes through, the second does not.
    coordinator
        .change(|state| drop(state.faults.insert("register", [Fault::None, Fault::Unavailable].into())));

    let summary = machine.work().await.unwrap();

    assert_eq!(summary, Summary { completed: 1, ..Summary::default() });
}
