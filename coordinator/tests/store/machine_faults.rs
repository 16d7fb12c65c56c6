//! What a machine cannot train is charged to nobody.

use acai_coordinator::store::{AttemptRef, Checkpoint, Mishap, Rest};
use acai_sweep::control::Intent;
use acai_sweep::explain;
use acai_sweep::run::RunState;
use acai_sweep::schedule::Offer;

use crate::{LEASE, Tested, claim, contract, one_running, register, register_as, sweep, upload, workers};

contract!(
    a_machines_fault_is_charged_to_nobody_and_the_run_goes_to_another_machine_first,
    a_run_that_three_machines_cannot_train_is_given_up,
    faults_before_a_new_checkpoint_or_a_retry_count_no_more,
    runs_of_a_group_whose_trainer_broke_down_are_granted_alone,
    slots_that_rest_are_told_with_their_reason_until_they_do_not,
    a_fault_that_was_noted_while_the_clock_was_wrong_keeps_no_run_from_its_machine,
);

async fn unfit(store: &Tested, attempt: AttemptRef) -> RunState {
    let fault = Mishap::MachineFault("no room on /scratch".to_owned());
    store.attempt_release_after(attempt, fault).await.unwrap()
}

/// The first run, granted to a worker of a machine of this name.
async fn taken(store: &Tested, machine: &str) -> AttemptRef {
    register_as(store, machine, machine).await;
    let grant = store.run_claim(claim(machine, &format!("{machine}'s claim"), 1), LEASE).await.unwrap();
    grant[0].attempt
}

async fn a_machines_fault_is_charged_to_nobody_and_the_run_goes_to_another_machine_first(store: &Tested) {
    let attempt = one_running(store).await;
    assert_eq!(unfit(store, attempt).await, RunState::Queued);
    assert_eq!(unfit(store, attempt).await, RunState::Queued, "repeated, not counted");
    let run = &store.run_list("s", &[]).await.unwrap()[0];
    assert_eq!((run.failures, run.losses, run.message.as_deref()), (0, 0, None));
    let event = store.event_list("s", 0.into(), 9).await.unwrap().pop().unwrap();
    let said = event.message.unwrap();
    assert!(said.contains("could not train it: no room on /scratch"), "{said}");

    // The same machine, started again, is first given what it has not failed on.
    register_as(store, "again", "w of host").await;
    let next = store.run_claim(claim("again", "c", 1), LEASE).await.unwrap()[0].attempt;
    assert_ne!(next.run, attempt.run);
    assert!(store.run_claim(claim("again", "d", 1), LEASE).await.unwrap().is_empty());
    let explanation = store.run_explain("s", 0, LEASE).await.unwrap().unwrap();
    let (_, machine) = explanation.workers.iter().find(|(name, _)| name == "w of host").unwrap();
    let reason = explain::worker(&explanation.situation, machine).unwrap();
    assert!(reason.contains("no room on /scratch"), "{reason}");
    store.clock.set(60_001);
    let grants = store.run_claim(claim("again", "e", 1), LEASE).await.unwrap();
    let again = grants[0].attempt;
    assert_eq!((again.run, again.number), (attempt.run, 2), "where there is no other machine");
}

async fn a_fault_that_was_noted_while_the_clock_was_wrong_keeps_no_run_from_its_machine(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    let attempt = taken(store, "a").await;
    store.clock.set(24 * 3600 * 1000);
    unfit(store, attempt).await;
    store.clock.set(1000);
    let again = store.run_claim(claim("a", "next", 9), LEASE).await.unwrap();
    assert!(again.iter().any(|grant| grant.attempt.run == attempt.run), "{again:?}");
}

async fn a_run_that_three_machines_cannot_train_is_given_up(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    for machine in ["a", "b"] {
        let attempt = taken(store, machine).await;
        assert_eq!(unfit(store, attempt).await, RunState::Queued);
    }
    // A machine counts once, whatever its workers are called.
    register_as(store, "a again", "a").await;
    store.clock.set(60_001);
    let again = store.run_claim(claim("a again", "again", 1), LEASE).await.unwrap()[0].attempt;
    assert_eq!((again.number, unfit(store, again).await), (3, RunState::Queued));
    let last = taken(store, "c").await;
    assert_eq!(unfit(store, last).await, RunState::Lost);
    assert_eq!(unfit(store, last).await, RunState::Lost, "repeated");
    let run = &store.run_list("s", &[]).await.unwrap()[0];
    let message = run.message.as_deref().unwrap();
    assert!(message.contains("3 machines") && message.contains("no room on /scratch"), "{message}");
    assert_eq!((run.failures, run.losses), (0, 0));
}

async fn faults_before_a_new_checkpoint_or_a_retry_count_no_more(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    for machine in ["a", "b"] {
        let attempt = taken(store, machine).await;
        unfit(store, attempt).await;
    }
    let third = taken(store, "c").await;
    let checkpoint = Checkpoint { step: 10, sha256: "10".repeat(32), bytes: 10 };
    assert!(upload(store, &checkpoint.sha256, "", 10).await);
    store.checkpoint_commit(third, checkpoint, 0).await.unwrap();
    assert_eq!(unfit(store, third).await, RunState::Queued, "the first since its checkpoint");
    let fourth = taken(store, "d").await;
    assert_eq!(unfit(store, fourth).await, RunState::Queued);
    let fifth = taken(store, "e").await;
    assert_eq!(unfit(store, fifth).await, RunState::Lost);
    let retry = Intent::Retry { states: vec![RunState::Lost], from_scratch: false };
    store.runs_change("s", vec![0], retry).await.unwrap();
    let sixth = taken(store, "f").await;
    assert_eq!((sixth.run, unfit(store, sixth).await), (fifth.run, RunState::Queued));
}

async fn runs_of_a_group_whose_trainer_broke_down_are_granted_alone(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.1, 0.2, 0.3])).await.unwrap();
    register(store, "w").await;
    let grouped = |id| {
        let mut wish = claim("w", id, 9);
        wish.offer = Offer { groups: 9, group_size: 2 };
        wish
    };
    let grants = store.run_claim(grouped("first"), LEASE).await.unwrap();
    assert_eq!(grants.iter().map(|grant| grant.group).collect::<Vec<_>>(), [0, 0, 1, 1, 2, 2]);
    for grant in &grants {
        match grant.group {
            0 => {
                let fault = Mishap::GroupFault("the trainer ended with SIGSEGV".to_owned());
                store.attempt_release_after(grant.attempt, fault).await.unwrap();
            }
            _ => drop(store.attempt_release(grant.attempt).await.unwrap()),
        }
    }
    let again = store.run_claim(grouped("second"), LEASE).await.unwrap();
    let groups: Vec<(u32, u32)> = again.iter().map(|grant| (grant.group, grant.number)).collect();
    assert_eq!(groups, [(0, 0), (1, 1), (2, 2), (2, 3), (3, 4), (3, 5)]);
    // Alone, its end is its own.
    let state = store.attempt_fail(again[0].attempt, false, "SIGSEGV".to_owned(), 0).await.unwrap();
    assert_eq!((state, store.run_list("s", &[]).await.unwrap()[0].failures), (RunState::Queued, 1));
}

async fn slots_that_rest_are_told_with_their_reason_until_they_do_not(store: &Tested) {
    one_running(store).await;
    let rest = |slots| Rest { slots, reason: "CUDA is gone".to_owned() };
    store.worker_set_rest("w", rest(2)).await.unwrap();
    assert_eq!(workers(store).await[0].rest, Some(rest(2)));
    let explanation = store.run_explain("s", 1, LEASE).await.unwrap().unwrap();
    let reason = explain::worker(&explanation.situation, &explanation.workers[0].1);
    assert_eq!(reason.as_deref(), Some("2 of its 2 slots rest: CUDA is gone"));
    store.worker_set_rest("w", rest(0)).await.unwrap();
    assert_eq!(workers(store).await[0].rest, None);
}
