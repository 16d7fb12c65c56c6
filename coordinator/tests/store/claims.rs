//! Who gets which run, and how runs come back.

use std::collections::HashSet;

use acai_coordinator::store::{Claim, Grant, Joins, Mishap, NewRun, NewSweep, StoreError};
use acai_sweep::configuration::Configuration;
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;
use acai_sweep::schedule::Offer;

use crate::{LEASE, Tested, claim, contract, one_running, register, sweep, workers};

contract!(
    runs_are_granted_in_order_and_once,
    a_repeated_claim_gets_the_same_grant,
    a_claim_that_nobody_waits_for_any_more_is_given_nothing,
    a_grant_says_what_its_sweep_wants_kept_as_it_was_last_submitted,
    runs_of_one_shape_are_granted_as_a_group,
    a_group_is_full_however_far_apart_the_runs_of_its_shape_are,
    a_group_that_trains_is_joined_by_runs_of_its_shape_when_their_turn_has_come,
    a_run_that_is_to_be_trained_alone_joins_no_group_and_is_joined_by_none,
    larger_priority_comes_first_and_max_concurrent_holds,
    a_sweep_at_its_limit_leaves_no_slot_empty_while_another_waits,
    a_worker_gets_only_what_it_has_the_data_for,
    runs_on_a_folder_of_pictures_are_granted_to_any_worker,
    a_lease_that_ends_queues_the_run_and_the_next_claim_is_a_new_attempt,
    renewing_keeps_a_lease_and_names_what_is_lost,
    the_next_worker_of_a_machine_keeps_the_leases_that_it_takes_up,
    workers_are_listed_while_they_are_heard_of_or_hold_runs_and_forgotten_if_they_never_did,
    a_claim_without_a_number_is_granted_once,
    a_dead_workers_lease_ends_although_coordinators_start_again_and_again,
    a_lease_of_longer_terms_is_not_shortened_by_a_restart,
    a_worker_does_not_come_to_life_when_the_clock_was_set_back_before_a_restart,
    a_worker_that_has_ended_is_known_as_ended_and_given_nothing,
    an_unknown_worker_has_to_register,
);

async fn runs_are_granted_in_order_and_once(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    register(store, "v").await;
    register(store, "w").await;
    let mut seen = HashSet::new();
    let mut order = Vec::new();
    for (worker, id) in [("v", "1"), ("w", "2"), ("v", "3")] {
        for grant in store.run_claim(claim(worker, id, 2), LEASE).await.unwrap() {
            assert!(seen.insert(grant.attempt), "{:?} granted twice", grant.attempt);
            assert_eq!((grant.attempt.number, grant.sweep.as_str()), (1, "s"));
            order.push((grant.seed, grant.configuration.get("lambda").unwrap().to_string()));
        }
    }
    let coarse_first = [(0, "0.1"), (0, "0.5"), (1, "0.1"), (1, "0.5")];
    assert_eq!(order, coarse_first.map(|(seed, lambda)| (seed, lambda.to_owned())));
}

async fn a_grant_says_what_its_sweep_wants_kept_as_it_was_last_submitted(store: &Tested) {
    register(store, "w").await;
    for (claim_id, keeps_weights) in [("1", true), ("2", false)] {
        store.sweep_submit(NewSweep { keeps_weights, ..sweep("s", &[0.1]) }).await.unwrap();
        let grants = store.run_claim(claim("w", claim_id, 1), LEASE).await.unwrap();
        assert_eq!(grants.iter().map(|grant| grant.keeps_weights).collect::<Vec<_>>(), [keeps_weights]);
    }
}

async fn a_repeated_claim_gets_the_same_grant(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    register(store, "w").await;
    let wish = claim("w", "first", 1);
    let attempt = store.run_claim(wish.clone(), LEASE).await.unwrap()[0].attempt;
    let again = store.run_claim(wish.clone(), LEASE).await.unwrap();
    assert_eq!(again.iter().map(|grant| grant.attempt).collect::<Vec<_>>(), [attempt]);
    store.attempt_release(attempt).await.unwrap();
    let ended = store.run_claim(wish, LEASE).await.unwrap();
    assert!(ended.is_empty(), "what has ended is not granted again by an old claim");
}

async fn a_claim_that_nobody_waits_for_any_more_is_given_nothing(store: &Tested) {
    register(store, "w").await;
    let (lost, answered, next) = (claim("w", "lost", 1), claim("w", "answered", 1), claim("w", "next", 1));
    assert!(store.run_claim(answered.clone(), LEASE).await.unwrap().is_empty(), "there is nothing yet");
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    for late in [answered, lost] {
        assert!(store.run_claim(late, LEASE).await.unwrap().is_empty(), "its worker would never hear of it");
    }
    assert_eq!(store.run_claim(next, LEASE).await.unwrap().len(), 1);
}

async fn runs_of_one_shape_are_granted_as_a_group(store: &Tested) {
    // λ = 0 has no critic, so its shape differs from that of λ > 0.
    store.sweep_submit(sweep("s", &[0.0, 0.1, 0.5])).await.unwrap();
    register(store, "w").await;
    let mut wish = claim("w", "c", 2);
    wish.offer = Offer { groups: 2, group_size: 3 };
    let grants = store.run_claim(wish, LEASE).await.unwrap();
    let groups: Vec<_> = grants.iter().map(|grant| (grant.group, grant.number)).collect();
    assert_eq!(groups, [(0, 0), (0, 3), (1, 1), (1, 2), (1, 4)]);
}

async fn a_group_is_full_however_far_apart_the_runs_of_its_shape_are(store: &Tested) {
    // Twenty shapes in turn: the second run of each comes twenty runs after its first.
    let mut many = sweep("s", &[0.5]);
    many.runs = (0..60)
        .map(|number| {
            let values = [
                ("model", Scalar::from("acai")),
                ("dataset", "lines32".into()),
                ("latent", Scalar::Int(1 + number % 20)),
                ("lambda", Scalar::Float(0.1 * (1 + number / 20) as f64)),
            ];
            NewRun { total_steps: 100, ..NewRun::new(&Configuration::new(values).unwrap(), 0) }
        })
        .collect();
    store.sweep_submit(many).await.unwrap();
    register(store, "w").await;
    let mut wish = claim("w", "c", 2);
    wish.offer = Offer { groups: 2, group_size: 3 };
    let grants = store.run_claim(wish, LEASE).await.unwrap();
    let groups: Vec<_> = grants.iter().map(|grant| (grant.group, grant.number)).collect();
    assert_eq!(groups, [(0, 0), (0, 20), (0, 40), (1, 1), (1, 21), (1, 41)]);
}

/// The first group of the claim `first`, which has this shape.
fn joining(shape: &str) -> Joins {
    Joins { shape_key: shape.to_owned(), group: "first/0".to_owned() }
}

async fn a_group_that_trains_is_joined_by_runs_of_its_shape_when_their_turn_has_come(store: &Tested) {
    // λ = 0 has no critic, so its shape differs from that of λ > 0.
    store.sweep_submit(sweep("s", &[0.1, 0.3, 0.0, 0.5])).await.unwrap();
    register(store, "w").await;
    let claimed = async |id: &str, places: u32, shape: Option<&str>| {
        let offer = Offer { groups: 1, group_size: places };
        let wish = Claim { offer, joins: shape.map(joining), ..claim("w", id, 1) };
        let grants = store.run_claim(wish.clone(), LEASE).await.unwrap();
        let again = store.run_claim(wish, LEASE).await.unwrap();
        let attempts = |grants: &[Grant]| -> Vec<_> { grants.iter().map(|grant| grant.attempt).collect() };
        assert_eq!(attempts(&grants), attempts(&again), "a repeated claim");
        grants
    };
    let numbers = |grants: &[Grant]| -> Vec<u32> { grants.iter().map(|grant| grant.number).collect() };
    let first = claimed("first", 1, None).await;
    let shape = first[0].shape_key.clone().unwrap();
    assert_eq!(numbers(&first), [0]);
    let joining = claimed("joining", 2, Some(&shape)).await;
    assert_eq!(numbers(&joining), [1, 3], "as an ordinary claim: run 2 is of another shape");
    assert!(joining.iter().all(|grant| grant.shape_key.as_ref() == Some(&shape)));
    let groups = async || store.run_explain("s", 7, i64::MAX).await.unwrap().unwrap().workers[0].1.running;
    assert_eq!(groups().await, 1, "they take no further slot");
    assert!(claimed("early", 2, Some(&shape)).await.is_empty(), "run 2 has its turn first");
    store.attempt_release(first[0].attempt).await.unwrap();
    assert_eq!(groups().await, 1, "the group is there as long as any of its runs");
    let first = claimed("again", 1, Some(&shape)).await;
    assert_eq!(numbers(&first), [0]);
    let other = claimed("other", 1, None).await;
    assert_eq!((numbers(&other), groups().await), (vec![2], 2));
    assert_ne!(other[0].shape_key.as_ref(), Some(&shape));
    assert_eq!(numbers(&claimed("then", 9, Some(&shape)).await), [4, 5, 7]);

    let urgent = NewSweep { priority: 1, ..sweep("urgent", &[0.0]) };
    store.sweep_submit(urgent).await.unwrap();
    let of_s = other[0].shape_key.clone().unwrap();
    assert_eq!(claimed("urgent", 9, Some(&of_s)).await[0].sweep, "urgent", "any sweep's runs of the shape");
}

async fn a_run_that_is_to_be_trained_alone_joins_no_group_and_is_joined_by_none(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    register(store, "w").await;
    let mut wish = claim("w", "group", 1);
    wish.offer.group_size = 2;
    let group = store.run_claim(wish, LEASE).await.unwrap();
    let shape = group[0].shape_key.clone();
    for grant in &group {
        let fault = Mishap::GroupFault("it crashed".to_owned());
        store.attempt_release_after(grant.attempt, fault).await.unwrap();
    }
    let wish = Claim { joins: shape.as_deref().map(joining), ..claim("w", "joining", 1) };
    assert!(store.run_claim(wish, LEASE).await.unwrap().is_empty());
    let alone = store.run_claim(claim("w", "alone", 1), LEASE).await.unwrap();
    assert_eq!((alone.len(), alone[0].shape_key.as_deref()), (1, None));
}

async fn larger_priority_comes_first_and_max_concurrent_holds(store: &Tested) {
    store.sweep_submit(sweep("low", &[0.1])).await.unwrap();
    let high = NewSweep { priority: 1, max_concurrent: Some(1), ..sweep("high", &[0.1]) };
    store.sweep_submit(high).await.unwrap();
    register(store, "w").await;
    let grants = store.run_claim(claim("w", "c", 3), LEASE).await.unwrap();
    let sweeps: Vec<_> = grants.iter().map(|grant| grant.sweep.as_str()).collect();
    assert_eq!(sweeps, ["high", "low", "low"]);
    assert!(store.run_claim(claim("w", "d", 3), LEASE).await.unwrap().is_empty());
}

async fn a_sweep_at_its_limit_leaves_no_slot_empty_while_another_waits(store: &Tested) {
    let lambdas: Vec<f64> = (1..=20).map(|number| f64::from(number) / 20.0).collect();
    let limited = NewSweep { priority: 1, max_concurrent: Some(1), ..sweep("limited", &lambdas) };
    store.sweep_submit(limited).await.unwrap();
    store.sweep_submit(sweep("other", &[0.1, 0.5])).await.unwrap();
    register(store, "w").await;
    let mut wish = claim("w", "c", 3);
    wish.offer.group_size = 2;
    let grants = store.run_claim(wish, LEASE).await.unwrap();
    let groups: Vec<_> =
        grants.iter().map(|grant| (grant.group, grant.sweep.as_str(), grant.number)).collect();
    let expected = [(0, "limited", 0), (1, "other", 0), (1, "other", 1), (2, "other", 2), (2, "other", 3)];
    assert_eq!(groups, expected);
}

async fn a_worker_gets_only_what_it_has_the_data_for(store: &Tested) {
    store.sweep_submit(sweep_on("mnist32")).await.unwrap();
    register(store, "w").await;
    assert!(store.run_claim(claim("w", "c", 1), LEASE).await.unwrap().is_empty());
    let [overview] = store.sweep_list().await.unwrap().try_into().unwrap();
    assert_eq!(overview.queued_datasets, ["mnist32"]);
}

async fn runs_on_a_folder_of_pictures_are_granted_to_any_worker(store: &Tested) {
    store.sweep_submit(sweep_on("images:my/pictures")).await.unwrap();
    register(store, "w").await;
    assert_eq!(store.run_claim(claim("w", "c", 1), LEASE).await.unwrap().len(), 1);
}

/// A sweep whose runs are on this dataset.
fn sweep_on(dataset: &str) -> NewSweep {
    let mut other = sweep("s", &[0.1]);
    for run in &mut other.runs {
        let values = [("model", Scalar::from("acai")), ("dataset", dataset.into())];
        *run = NewRun::new(&Configuration::new(values).unwrap(), run.seed);
    }
    other
}

async fn a_lease_that_ends_queues_the_run_and_the_next_claim_is_a_new_attempt(store: &Tested) {
    let first = one_running(store).await;
    assert!(store.expire_at(LEASE).await.unwrap().is_empty(), "it holds to its last millisecond");
    assert_eq!(store.expire_at(LEASE + 1).await.unwrap(), [first]);
    assert_eq!(store.run_list("s", &[RunState::Queued]).await.unwrap().len(), 2);
    let second = crate::claim_one(store, "second").await;
    assert_eq!((second.run, second.number), (first.run, 2));
    let run = &store.run_list("s", &[RunState::Running]).await.unwrap()[0];
    assert_eq!(run.failures, 0, "a lost machine is not the run's fault");
}

async fn renewing_keeps_a_lease_and_names_what_is_lost(store: &Tested) {
    let held = one_running(store).await;
    let lost = crate::claim_one(store, "second").await;
    store.attempt_release(lost).await.unwrap();
    store.clock.set(5);
    let fenced = store.lease_renew("w", vec![held, lost], LEASE).await.unwrap();
    assert_eq!(fenced.fenced, [lost]);
    assert!(store.expire_at(LEASE + 1).await.unwrap().is_empty());
    register(store, "other").await;
    let seen = workers(store).await;
    assert_eq!(seen.iter().map(|worker| worker.last_seen_ms).collect::<Vec<_>>(), [LEASE + 1, 5]);

    assert_eq!(store.lease_grant_fresh_terms(LEASE).await.unwrap(), 1);
    assert!(store.expire_at(2 * LEASE + 1).await.unwrap().is_empty());
}

async fn the_next_worker_of_a_machine_keeps_the_leases_that_it_takes_up(store: &Tested) {
    let held = one_running(store).await;
    register(store, "next").await;
    store.clock.set(LEASE);
    assert_eq!(store.lease_renew("next", vec![held], LEASE).await.unwrap().fenced, []);
    assert!(store.expire_at(2 * LEASE).await.unwrap().is_empty());
    let running = workers(store).await;
    let of = |id| running.iter().find(|worker| worker.registration.id == id).map(|worker| worker.running);
    assert_eq!((of("w"), of("next")), (Some(0), Some(1)));
    store.attempt_complete(held, 100, 0).await.unwrap();
}

async fn a_claim_without_a_number_is_granted_once(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    register(store, "w").await;
    // As a worker of the release before sends it.
    let unnumbered = |id| Claim { number: 0, ..claim("w", id, 1) };
    let first = store.run_claim(unnumbered("first"), LEASE).await.unwrap()[0].attempt;
    let again = store.run_claim(unnumbered("first"), LEASE).await.unwrap();
    assert_eq!(again.iter().map(|grant| grant.attempt).collect::<Vec<_>>(), [first]);
    store.attempt_release(first).await.unwrap();
    assert!(store.run_claim(unnumbered("first"), LEASE).await.unwrap().is_empty());
    assert_eq!(store.run_claim(unnumbered("second"), LEASE).await.unwrap().len(), 1);
}

async fn a_dead_workers_lease_ends_although_coordinators_start_again_and_again(store: &Tested) {
    let (dead, alive) = (one_running(store).await, crate::claim_one(store, "second").await);
    let mut lost = Vec::new();
    // None of them lives for as long as a lease.
    for start in 1..=10 {
        store.clock.set(start * LEASE / 2);
        store.lease_grant_fresh_terms(LEASE).await.unwrap();
        lost.extend(store.lease_expire(store.clock.now_ms()).await.unwrap());
        assert!(start > 2 || lost.is_empty(), "a worker has some starts to be heard");
        store.lease_renew("w", vec![alive], LEASE).await.unwrap();
    }
    assert_eq!(lost, [dead]);
}

async fn a_lease_of_longer_terms_is_not_shortened_by_a_restart(store: &Tested) {
    let held = one_running(store).await;
    store.clock.set(10);
    store.lease_grant_fresh_terms(LEASE / 10).await.unwrap();
    assert!(
        store.expire_at(LEASE).await.unwrap().is_empty(),
        "its worker may be silent for as long as it was told"
    );
    // It hears the new terms.
    assert!(store.lease_renew("w", vec![held], LEASE / 10).await.unwrap().fenced.is_empty());
    assert_eq!(store.expire_at(LEASE + LEASE / 10 + 1).await.unwrap(), [held]);
}

async fn a_worker_does_not_come_to_life_when_the_clock_was_set_back_before_a_restart(store: &Tested) {
    store.clock.set(10 * LEASE);
    register(store, "before").await;
    store.clock.set(LEASE);
    register(store, "after").await;
    store.lease_grant_fresh_terms(LEASE).await.unwrap();
    let seen = workers(store).await.into_iter().map(|worker| worker.last_seen_ms);
    assert_eq!(seen.collect::<Vec<_>>(), [LEASE, LEASE], "a moment ago at the latest");
    store.clock.set(2 * LEASE);
    store.lease_grant_fresh_terms(LEASE).await.unwrap();
    let seen = workers(store).await.into_iter().map(|worker| worker.last_seen_ms);
    assert_eq!(seen.collect::<Vec<_>>(), [LEASE, LEASE], "a start alone is no sign of life");
}

async fn a_worker_that_has_ended_is_known_as_ended_and_given_nothing(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    register(store, "w").await;
    assert!(!workers(store).await[0].ended);
    store.worker_leave("w").await.unwrap();
    store.worker_leave("w").await.unwrap();
    // What was long on its way revives nobody.
    register(store, "w").await;
    assert!(store.run_claim(claim("w", "late", 1), LEASE).await.unwrap().is_empty());
    assert!(workers(store).await[0].ended);
    let unknown = store.worker_leave("nobody").await;
    assert!(matches!(unknown, Err(StoreError::UnknownWorker(_))), "{unknown:?}");
}

async fn an_unknown_worker_has_to_register(store: &Tested) {
    let refused = store.run_claim(claim("nobody", "c", 1), LEASE).await;
    assert!(matches!(refused, Err(StoreError::UnknownWorker(_))), "{refused:?}");
}

async fn workers_are_listed_while_they_are_heard_of_or_hold_runs_and_forgotten_if_they_never_did(
    store: &Tested,
) {
    let held = one_running(store).await;
    register(store, "idle").await;
    store.clock.set(10);
    register(store, "recent").await;
    let page = async |since_ms, after, most| {
        let workers = store.worker_list(since_ms, after, most).await.unwrap();
        workers.into_iter().map(|worker| worker.registration.id).collect::<Vec<_>>()
    };
    let listed = async |since_ms| page(since_ms, "", 9).await;
    assert_eq!(listed(i64::MIN).await, ["idle", "recent", "w"]);
    assert_eq!(page(i64::MIN, "", 2).await, ["idle", "recent"]);
    assert_eq!(page(i64::MIN, "recent", 2).await, ["w"]);
    assert!(page(i64::MIN, "w", 2).await.is_empty());
    assert_eq!(listed(10).await, ["recent", "w"], "`w` holds a run");
    assert_eq!((store.worker_forget(10).await.unwrap(), store.worker_forget(10).await.unwrap()), (1, 0));
    assert_eq!(listed(i64::MIN).await, ["recent", "w"]);
    store.attempt_complete(held, 100, 0).await.unwrap();
    assert_eq!(listed(10).await, ["recent"]);
    assert_eq!(store.worker_forget(10).await.unwrap(), 0, "the run names `w` for ever");
    assert_eq!(listed(i64::MIN).await, ["recent", "w"]);
}
