//! What people want is stored, and done when it can be.

use acai_coordinator::store::{Changes, Claim, Duty, EVENTS_KEPT, NewSweep, Place, StoreError};
use acai_sweep::control::Intent;
use acai_sweep::run::{Desired, RunState};
use acai_sweep::schedule::Offer;

use crate::{LEASE, Tested, claim, claim_one, contract, one_running, register, sweep, workers};

contract!(
    a_queued_run_is_cancelled_at_once_and_a_running_one_when_its_worker_gives_it_back,
    what_ends_a_run_first_stands,
    a_cancelled_run_whose_worker_falls_silent_is_cancelled,
    a_paused_sweep_starts_nothing_and_goes_on_when_resumed,
    pausing_now_has_the_workers_yield,
    retry_queues_what_ended_badly_with_fresh_budgets,
    a_run_that_kills_its_workers_is_given_up,
    a_sweep_pauses_when_too_many_of_its_runs_fail,
    a_cordoned_worker_gets_nothing_and_a_drained_one_yields,
    limits_can_be_changed_while_the_sweep_runs,
    a_run_that_is_not_in_the_plan_is_an_error_and_changes_nothing,
    every_change_of_state_is_an_event_without_gaps,
    whoever_goes_on_from_an_event_that_is_another_one_by_now_is_told,
    old_events_go_but_for_the_last_ones_of_each_run,
    a_queued_run_is_explained,
    a_worker_that_was_heard_of_by_a_clock_that_was_set_back_since_counts_as_gone_until_it_calls,
    what_is_told_of_an_attempt_is_an_event_and_not_repeated,
);

async fn change(store: &Tested, intent: Intent) -> Changes {
    store.runs_change("s", Vec::new(), intent).await.unwrap().unwrap()
}

async fn states(store: &Tested) -> Vec<RunState> {
    store.run_list("s", &[]).await.unwrap().iter().map(|run| run.state).collect()
}

async fn a_queued_run_is_cancelled_at_once_and_a_running_one_when_its_worker_gives_it_back(store: &Tested) {
    let held = one_running(store).await;
    assert_eq!(change(store, Intent::Cancel).await, Changes { changed: 1, asked: 1, unchanged: 0 });
    assert_eq!(states(store).await, [RunState::Running, RunState::Cancelled]);
    assert_eq!(store.run_list("s", &[]).await.unwrap()[0].desired, Some(Desired::Cancelled));

    let renewal = store.lease_renew("w", vec![held], LEASE).await.unwrap();
    assert_eq!((renewal.fenced, renewal.yielding), (vec![], vec![held]));
    assert_eq!(store.attempt_release(held).await.unwrap(), RunState::Cancelled);
    assert_eq!(states(store).await, [RunState::Cancelled, RunState::Cancelled]);
    assert_eq!(change(store, Intent::Cancel).await, Changes { changed: 0, asked: 0, unchanged: 2 });
    assert!(store.run_claim(claim("w", "more", 9), LEASE).await.unwrap().is_empty());
}

async fn what_ends_a_run_first_stands(store: &Tested) {
    let held = one_running(store).await;
    change(store, Intent::Cancel).await;
    store.attempt_complete(held, 100, 0).await.unwrap();
    assert_eq!(states(store).await[0], RunState::Completed);
    assert_eq!(store.run_list("s", &[]).await.unwrap()[0].desired, None);
    assert!(matches!(store.attempt_release(held).await, Err(StoreError::Fenced(_))));
}

async fn a_cancelled_run_whose_worker_falls_silent_is_cancelled(store: &Tested) {
    let held = one_running(store).await;
    change(store, Intent::Cancel).await;
    assert_eq!(store.expire_at(LEASE + 1).await.unwrap(), [held]);
    assert_eq!(states(store).await[0], RunState::Cancelled);
}

async fn a_paused_sweep_starts_nothing_and_goes_on_when_resumed(store: &Tested) {
    let held = one_running(store).await;
    assert_eq!(change(store, Intent::Pause).await, Changes { changed: 0, asked: 0, unchanged: 2 });
    assert_eq!(store.sweep_list().await.unwrap()[0].paused.as_deref(), Some("by request"));
    assert!(store.run_claim(claim("w", "while paused", 9), LEASE).await.unwrap().is_empty());
    assert!(store.lease_renew("w", vec![held], LEASE).await.unwrap().yielding.is_empty(), "it may finish");

    change(store, Intent::Resume).await;
    assert_eq!(store.sweep_list().await.unwrap()[0].paused, None);
    assert_eq!(store.run_claim(claim("w", "resumed", 9), LEASE).await.unwrap().len(), 1);

    // One run alone.
    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    let one = store.runs_change("s", vec![2], Intent::Pause).await.unwrap().unwrap();
    assert_eq!(one, Changes { changed: 1, asked: 0, unchanged: 0 });
    assert_eq!(states(store).await[0], RunState::Paused);
    let claimed = store.run_claim(claim("w", "others", 9), LEASE).await.unwrap();
    assert_eq!(claimed.iter().map(|grant| grant.number).collect::<Vec<_>>(), [3]);
}

async fn pausing_now_has_the_workers_yield(store: &Tested) {
    let held = one_running(store).await;
    assert_eq!(change(store, Intent::PauseNow).await, Changes { changed: 0, asked: 1, unchanged: 1 });
    assert_eq!(store.lease_renew("w", vec![held], LEASE).await.unwrap().yielding, [held]);
    assert_eq!(store.attempt_release(held).await.unwrap(), RunState::Paused);
    assert_eq!(change(store, Intent::Resume).await, Changes { changed: 1, asked: 0, unchanged: 1 });
    let again = claim_one(store, "again").await;
    assert_eq!((again.run, again.number), (held.run, 2));
}

async fn retry_queues_what_ended_badly_with_fresh_budgets(store: &Tested) {
    store.sweep_submit(NewSweep { max_restarts: 0, ..sweep("s", &[0.5]) }).await.unwrap();
    register(store, "w").await;
    let failed = claim_one(store, "first").await;
    assert_eq!(store.attempt_fail(failed, false, "bad luck".to_owned(), 0).await.unwrap(), RunState::Failed);
    let intent = |states: &[RunState]| Intent::Retry { states: states.to_vec(), from_scratch: false };
    assert_eq!(change(store, intent(&[RunState::Diverged])).await.changed, 0);
    assert_eq!(change(store, intent(&[RunState::Failed])).await.changed, 1);
    let run = &store.run_list("s", &[]).await.unwrap()[0];
    assert_eq!((run.state, run.failures, run.losses), (RunState::Queued, 0, 0));
    let again = claim_one(store, "again").await;
    assert_eq!((again.run, again.number), (failed.run, 2), "attempts are never numbered anew");
}

async fn a_run_that_kills_its_workers_is_given_up(store: &Tested) {
    one_running(store).await;
    let mut now = 0;
    for losses in 1..=3 {
        now += LEASE + 1;
        assert_eq!(store.expire_at(now).await.unwrap().len(), 1);
        let run = &store.run_list("s", &[]).await.unwrap()[0];
        assert_eq!((run.losses, run.failures), (losses, 0), "a lost machine is not the run's failure");
        if losses < 3 {
            assert_eq!(run.state, RunState::Queued);
            claim_one(store, &losses.to_string()).await;
        } else {
            assert_eq!(run.state, RunState::Lost);
            assert!(run.message.as_deref().unwrap().starts_with("3 workers fell silent"), "{run:?}");
        }
    }
}

async fn a_sweep_pauses_when_too_many_of_its_runs_fail(store: &Tested) {
    let fragile = NewSweep { max_restarts: 0, max_failed_runs: Some(2), ..sweep("s", &[0.1, 0.2, 0.3]) };
    store.sweep_submit(fragile).await.unwrap();
    register(store, "w").await;
    let fail = async |id: &str| {
        let attempt = claim_one(store, id).await;
        store.attempt_fail(attempt, false, "broken".to_owned(), 0).await.unwrap();
    };
    fail("1").await;
    assert_eq!(store.sweep_list().await.unwrap()[0].paused, None);
    fail("2").await;
    let paused = store.sweep_list().await.unwrap()[0].paused.clone().unwrap();
    assert!(paused.contains("2 runs failed") && paused.contains("max_failed_runs"), "{paused}");
    assert!(store.run_claim(claim("w", "3", 1), LEASE).await.unwrap().is_empty());
    // A person who resumes it lets two more fail.
    change(store, Intent::Resume).await;
    fail("4").await;
    assert_eq!(store.sweep_list().await.unwrap()[0].paused, None);
    fail("5").await;
    assert!(store.sweep_list().await.unwrap()[0].paused.is_some());
    // All of them again, of which two may fail as at first.
    change(store, Intent::Resume).await;
    change(store, Intent::Retry { states: vec![RunState::Failed], from_scratch: false }).await;
    fail("6").await;
    assert_eq!(store.sweep_list().await.unwrap()[0].paused, None);
    fail("7").await;
    assert!(store.sweep_list().await.unwrap()[0].paused.is_some());
}

async fn a_cordoned_worker_gets_nothing_and_a_drained_one_yields(store: &Tested) {
    let held = one_running(store).await;
    let name = "w of host";
    assert_eq!(store.worker_set_duty(name, Duty::Cordoned).await.unwrap(), Some(1));
    assert!(store.run_claim(claim("w", "cordoned", 1), LEASE).await.unwrap().is_empty());
    assert!(store.lease_renew("w", vec![held], LEASE).await.unwrap().yielding.is_empty(), "it may finish");
    store.worker_set_duty(name, Duty::Drained).await.unwrap();
    assert_eq!(store.lease_renew("w", vec![held], LEASE).await.unwrap().yielding, [held]);
    assert_eq!(store.attempt_release(held).await.unwrap(), RunState::Queued, "for another worker");
    assert_eq!(workers(store).await[0].duty, Duty::Drained);
    store.worker_set_duty(name, Duty::Open).await.unwrap();
    claim_one(store, "open").await;
    assert_eq!(store.worker_set_duty("nobody", Duty::Open).await.unwrap(), None);
}

async fn limits_can_be_changed_while_the_sweep_runs(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    store.sweep_submit(sweep("t", &[0.5])).await.unwrap();
    register(store, "w").await;
    assert!(store.sweep_set_limits("t", Some(5), Some(1)).await.unwrap());
    let wish = Claim { offer: Offer { groups: 9, group_size: 1 }, ..claim("w", "c", 9) };
    let sweeps: Vec<String> =
        store.run_claim(wish, LEASE).await.unwrap().into_iter().map(|it| it.sweep).collect();
    assert_eq!(sweeps.iter().filter(|name| *name == "t").count(), 1);
    assert_eq!(sweeps.len(), 3);
    assert!(store.sweep_set_limits("t", None, Some(0)).await.unwrap());
    let unlimited = store.run_claim(claim("w", "d", 9), LEASE).await.unwrap();
    assert_eq!(unlimited.len(), 1, "0 means no limit");
    assert_eq!(store.sweep_list().await.unwrap()[0].priority, 5, "what is not said stays");
    assert!(!store.sweep_set_limits("u", Some(1), None).await.unwrap());
}

async fn a_run_that_is_not_in_the_plan_is_an_error_and_changes_nothing(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    let refused = store.runs_change("s", vec![0, 2], Intent::Cancel).await;
    assert!(matches!(refused, Err(StoreError::NoSuchRun { number: 2 })), "{refused:?}");
    assert_eq!(states(store).await, [RunState::Queued, RunState::Queued]);
    assert_eq!(store.runs_change("t", vec![], Intent::Cancel).await.unwrap(), None);
}

async fn every_change_of_state_is_an_event_without_gaps(store: &Tested) {
    let first = one_running(store).await;
    store.attempt_release(first).await.unwrap();
    let second = claim_one(store, "second").await;
    store.attempt_fail(second, true, "loss_ae is NaN".to_owned(), 0).await.unwrap();
    store.runs_change("s", vec![1], Intent::Cancel).await.unwrap();
    let events = store.event_list("s", 0.into(), 99).await.unwrap();
    let told: Vec<_> =
        events.iter().map(|event| (event.number, event.run_number, event.state, event.attempt)).collect();
    use RunState::{Cancelled, Diverged, Queued, Running};
    let expected = [
        (1, 0, Running, 1),
        (2, 0, Queued, 1),
        (3, 0, Running, 2),
        (4, 0, Diverged, 2),
        (5, 1, Cancelled, 0),
    ];
    assert_eq!(told, expected);
    assert_eq!(events[3].message.as_deref(), Some("loss_ae is NaN"));
    assert_eq!((events[0].worker.as_deref(), events[4].worker.as_deref()), (Some("w of host"), None));
    assert_eq!(store.event_list("s", 3.into(), 1).await.unwrap(), events[3..4], "from a cursor, in pages");
    let last = events.len() as u64;
    assert_eq!(store.event_list("s", last.into(), 9).await.unwrap(), []);
    let beyond = store.event_list("s", (last + 1).into(), 9).await;
    assert!(matches!(beyond, Err(StoreError::NoSuchEvent { .. })), "{beyond:?}");
    assert_eq!(store.sweep_list().await.unwrap()[0].last_event, 5);
}

async fn whoever_goes_on_from_an_event_that_is_another_one_by_now_is_told(store: &Tested) {
    store.clock.set(1000);
    let first = one_running(store).await;
    store.clock.set(2000);
    store.attempt_release(first).await.unwrap();
    store.clock.set(3000);
    claim_one(store, "second").await;
    let after = |number, at_ms| store.event_list("s", Place { number, at_ms: Some(at_ms) }, 9);
    let numbers = async |number, at_ms| {
        let events = after(number, at_ms).await.unwrap();
        events.iter().map(|event| event.number).collect::<Vec<_>>()
    };
    assert_eq!(
        (numbers(0, 7).await, numbers(1, 1000).await, numbers(3, 3000).await),
        (vec![1, 2, 3], vec![2, 3], vec![])
    );
    // Seen before the database was put back, when other events had these numbers.
    for (number, at_ms) in [(1, 1001), (2, 1999), (3, 2000)] {
        let refused = after(number, at_ms).await;
        assert!(matches!(refused, Err(StoreError::OtherEvent(other)) if other == number), "{refused:?}");
        let words = refused.unwrap_err().to_string();
        assert!(words.contains("restored from a backup") && words.contains("hint:"), "{words}");
    }
    let beyond = after(4, 4000).await;
    assert!(matches!(beyond, Err(StoreError::NoSuchEvent { after: 4, last: 3 })), "{beyond:?}");
}

async fn old_events_go_but_for_the_last_ones_of_each_run(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.5, 0.6])).await.unwrap();
    register(store, "w").await;
    let kept = u64::from(EVENTS_KEPT);
    for round in 0..kept / 2 + 10 {
        store.clock.set(i64::try_from(round).unwrap());
        let attempt = claim_one(store, &format!("claim {round}")).await;
        store.attempt_release(attempt).await.unwrap();
    }
    assert_eq!(store.event_forget(5).await.unwrap(), 10, "five rounds are from before that time");
    assert_eq!(store.event_forget(5).await.unwrap(), 0);
    assert_eq!(store.event_forget(i64::MAX).await.unwrap(), 10);
    assert_eq!(store.event_forget(i64::MAX).await.unwrap(), 0, "the last ones stay, however old they are");
    let events = store.event_list("s", 0.into(), EVENTS_KEPT * 2).await.unwrap();
    assert_eq!((events.len() as u64, events[0].number), (kept, 21));
    let from_a_deleted_one = Place { number: 3, at_ms: Some(1) };
    assert_eq!(store.event_list("s", from_a_deleted_one, 1).await.unwrap()[0].number, 21);
}

async fn a_queued_run_is_explained(store: &Tested) {
    one_running(store).await;
    store.sweep_set_limits("s", None, Some(1)).await.unwrap();
    let explanation = store.run_explain("s", 1, LEASE).await.unwrap().unwrap();
    assert_eq!(explanation.run.unwrap().number, 1);
    let situation = explanation.situation;
    assert_eq!(
        (situation.state, situation.running, situation.max_concurrent),
        (RunState::Queued, 1, Some(1))
    );
    assert_eq!((situation.ahead, situation.dataset.as_str()), (vec![], "lines32"));
    let [(name, worker)] = explanation.workers.try_into().unwrap();
    assert_eq!((name.as_str(), worker.alive, worker.slots, worker.running), ("w of host", true, 2, 1));
    assert!(store.run_explain("s", 2, LEASE).await.unwrap().is_none());
}

async fn a_worker_that_was_heard_of_by_a_clock_that_was_set_back_since_counts_as_gone_until_it_calls(
    store: &Tested,
) {
    store.clock.set(24 * 3600 * 1000);
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    register(store, "w").await;
    let is_alive = async || {
        let explanation = store.run_explain("s", 0, LEASE).await.unwrap().unwrap();
        explanation.workers[0].1.alive
    };
    assert!(is_alive().await);
    store.clock.set(1000);
    assert!(!is_alive().await);
    store.lease_renew("w", Vec::new(), LEASE).await.unwrap();
    assert!(is_alive().await);
}

async fn what_is_told_of_an_attempt_is_an_event_and_not_repeated(store: &Tested) {
    let attempt = one_running(store).await;
    for message in ["no room", "no room", "no right", "no room"] {
        store.attempt_note(attempt, message.to_owned()).await.unwrap();
    }
    let events = store.event_list("s", 0.into(), 99).await.unwrap();
    let told: Vec<_> = events.iter().filter_map(|event| event.message.as_deref()).collect();
    assert_eq!(told, ["no room", "no right", "no room"]);
    assert!(events.iter().all(|event| event.state == RunState::Running));
    store.attempt_release(attempt).await.unwrap();
    let late = store.attempt_note(attempt, "no room".to_owned()).await;
    assert!(matches!(late, Err(StoreError::Fenced(_))), "{late:?}");
}
