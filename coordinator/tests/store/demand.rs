//! How much there is to do, and how long it waits.

use std::collections::BTreeMap;

use acai_coordinator::store::NewSweep;
use acai_sweep::control::Intent;
use acai_sweep::run::RunState;

use crate::{LEASE, Tested, claim, claim_one, contract, register, sweep};

contract! {
    queued_runs_are_startable_as_far_as_limits_and_pauses_leave_them,
    the_first_run_of_a_queue_says_since_when_it_waits,
    a_grant_says_how_long_its_run_had_waited,
}

/// Queued runs of `lines32` that could start now.
async fn startable(store: &Tested) -> u64 {
    store.demand().await.unwrap().startable.get("lines32").copied().unwrap_or_default()
}

async fn queued_runs_are_startable_as_far_as_limits_and_pauses_leave_them(store: &Tested) {
    assert_eq!(store.demand().await.unwrap().runs, BTreeMap::new());
    store.sweep_submit(sweep("s", &[0.5, 1.0])).await.unwrap();
    let limited = NewSweep { max_concurrent: Some(3), ..sweep("limited", &[0.25, 0.75]) };
    store.sweep_submit(limited).await.unwrap();
    assert_eq!(startable(store).await, 4 + 3);

    register(store, "w").await;
    store.run_claim(claim("w", "all of the first, one of the second", 5), LEASE).await.unwrap();
    let demand = store.demand().await.unwrap();
    assert_eq!(demand.runs, BTreeMap::from([(RunState::Queued, 3), (RunState::Running, 5)]));
    assert_eq!(demand.startable, BTreeMap::from([("lines32".to_owned(), 2)]));

    store.sweep_set_limits("limited", None, Some(1)).await.unwrap();
    assert_eq!(store.demand().await.unwrap().startable, BTreeMap::new());
    store.sweep_set_limits("limited", None, Some(0)).await.unwrap();
    assert_eq!(startable(store).await, 3);
    store.runs_change("limited", Vec::new(), Intent::Pause).await.unwrap();
    assert_eq!(startable(store).await, 0);
}

async fn the_first_run_of_a_queue_says_since_when_it_waits(store: &Tested) {
    let since = async || store.demand().await.unwrap().waiting_since_ms;
    assert_eq!(since().await, None);
    store.clock.set(1000);
    store.sweep_submit(sweep("first", &[0.5])).await.unwrap();
    store.clock.set(2000);
    store.sweep_submit(sweep("second", &[0.5])).await.unwrap();
    assert_eq!(since().await, Some(1000));
    store.runs_change("first", Vec::new(), Intent::Pause).await.unwrap();
    assert_eq!(since().await, Some(2000));
    store.runs_change("second", Vec::new(), Intent::Cancel).await.unwrap();
    assert_eq!(since().await, None);
    store.clock.set(3000);
    store
        .runs_change(
            "second",
            Vec::new(),
            Intent::Retry { states: vec![RunState::Cancelled], from_scratch: false },
        )
        .await
        .unwrap();
    assert_eq!(since().await, Some(3000));
}

async fn a_grant_says_how_long_its_run_had_waited(store: &Tested) {
    store.clock.set(1000);
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    register(store, "w").await;
    store.clock.set(4000);
    let waited = async |claim_id: &str| {
        let grants = store.run_claim(claim("w", claim_id, 1), LEASE).await.unwrap();
        (grants[0].attempt, grants[0].waited_ms)
    };
    let (attempt, waited_ms) = waited("first").await;
    assert_eq!(waited_ms, Some(3000));
    claim_one(store, "the other run").await;
    store.clock.set(5000);
    store.attempt_release(attempt).await.unwrap();
    store.clock.set(5500);
    assert_eq!(waited("again").await.1, Some(500));
}
