//! A server that vanishes without a word, as one whose machine loses power does: nothing is lost, and nobody waits for long.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use acai_coordinator::store::postgres::{Limits, PostgresStore};
use acai_coordinator::store::{Result, Store, StoreError};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::black_hole::Network;
use crate::{LEASE, Tested, database, one_running, point};

const LIMITS: Limits = Limits {
    connect: Duration::from_millis(800),
    short: Duration::from_millis(1500),
    transaction: Duration::from_millis(1500),
};
/// What a call may take: a connection, and then its limit, with time to spare on a busy machine. A read of some of them
/// takes two connections.
const BOUND: Duration = Duration::from_secs(10);

/// Panics if the call is not refused in time by a store whose server is silent.
async fn is_refused<T: std::fmt::Debug>(name: &str, call: impl Future<Output = Result<T>>) {
    let answer = timeout(BOUND, call).await;
    let answer = answer.unwrap_or_else(|_| panic!("`{name}` waits for a server that has vanished"));
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{name}: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_to_a_server_that_vanished_end_in_time_and_what_was_acknowledged_is_there_when_it_is_back() {
    let Some(url) = database() else { return };
    let (network, by_network) = Network::before(&url).await;
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open_with(&by_network, None, LIMITS).await.unwrap());
    let attempt = one_running(&Tested::shared(Arc::clone(&store))).await;
    let mut acked = 0;
    for round in 0..3 {
        // In the middle of what many do: more than there are connections.
        let mut readers = JoinSet::new();
        for _ in 0..20 {
            let store = Arc::clone(&store);
            readers.spawn(async move { while store.sweep_list().await.is_ok() {} });
        }
        let end = acked + 20;
        while acked < end {
            let next = acked + 1;
            acked = store.metrics_append(attempt, next, vec![point("a", next, 0.5)], next).await.unwrap();
        }
        network.swallow();
        is_refused(
            "write",
            store.metrics_append(attempt, acked + 1, vec![point("a", acked + 1, 0.5)], acked),
        )
        .await;
        is_refused("renew", store.lease_renew("w", vec![attempt], LEASE)).await;
        is_refused("probe", store.probe()).await;
        is_refused("read", store.run_list("s", &[], 0, u32::MAX)).await;
        is_refused("clock", store.now_ms()).await;
        timeout(BOUND, readers.join_all()).await.expect("those who read when it vanished end");

        network.heal();
        let healed = Instant::now();
        let next = acked + 1;
        acked = store.metrics_append(attempt, next, vec![point("a", next, 0.5)], next).await.unwrap();
        assert_eq!(acked, next, "round {round}: what was acknowledged is there, and nothing else");
        assert_eq!(store.lease_renew("w", vec![attempt], LEASE).await.unwrap().fenced, []);
        assert_eq!(store.run_list("s", &[], 0, u32::MAX).await.unwrap().len(), 2);
        assert!(healed.elapsed() < BOUND, "round {round}: {:?}", healed.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_whose_server_vanished_is_closed_in_time() {
    let Some(url) = database() else { return };
    let (network, by_network) = Network::before(&url).await;
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open_with(&by_network, None, LIMITS).await.unwrap());
    let attempt = one_running(&Tested::shared(Arc::clone(&store))).await;
    network.swallow();
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let store = Arc::clone(&store);
        calls.spawn(
            async move { store.metrics_append(attempt, 1, vec![point("a", 1, 0.5)], 1).await.map(drop) },
        );
    }
    // At least one of them is under way when it is closed.
    tokio::task::yield_now().await;
    timeout(BOUND, store.close()).await.expect("a store waits for a server that has vanished");
    for answer in calls.join_all().await {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_silent_when_a_store_is_opened_is_an_error_in_time() {
    let Some(url) = database() else { return };
    let (network, by_network) = Network::before(&url).await;
    network.swallow();
    let opened = timeout(BOUND, PostgresStore::open_with(&by_network, None, LIMITS)).await;
    let error = opened.expect("nobody waits for a silent server").unwrap_err().to_string();
    assert!(error.contains("connect") && error.contains("does not answer"), "{error}");
}
