//! Runs whose configuration this version cannot read: they wait, and keep no others waiting.

use acai_sweep::explain;
use acai_sweep::run::RunState;

use crate::{LEASE, Tested, claim, contract_of_databases, register, sweep};

contract_of_databases!(
    a_run_that_cannot_be_read_stays_queued_says_why_and_keeps_no_other_from_starting,
    a_queue_of_thousands_that_cannot_be_read_is_passed_over,
);

/// Written by a later version, and damaged.
const SPOIL_TWO: &str = "update runs set config = case idx
        when 0 then replace(config, '{', '{\"weight_decay\":0.5,') else 'garbage' end
    where idx < 2";

async fn a_run_that_cannot_be_read_stays_queued_says_why_and_keeps_no_other_from_starting(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    register(store, "w").await;
    store.tamper(SPOIL_TWO).await;
    let granted = store.run_claim(claim("w", "first", 1), LEASE).await.unwrap();
    assert_eq!(granted.iter().map(|grant| grant.number).collect::<Vec<_>>(), [2]);
    let granted = store.run_claim(claim("w", "second", 9), LEASE).await.unwrap();
    assert_eq!(granted.iter().map(|grant| grant.number).collect::<Vec<_>>(), [3]);

    for (number, why) in [(0, "weight_decay"), (1, "garbage")] {
        let explanation = store.run_explain("s", number, LEASE).await.unwrap().unwrap();
        assert_eq!(explanation.situation.state, RunState::Queued, "nothing is lost");
        let reasons = explain::run(&explanation.situation).join("\n");
        assert!(reasons.contains(why) && reasons.contains("leaves it out"), "{reasons}");
        let worker = explain::worker(&explanation.situation, &explanation.workers[0].1).unwrap();
        assert!(worker.contains("cannot read"), "{worker}");
    }
}

async fn a_queue_of_thousands_that_cannot_be_read_is_passed_over(store: &Tested) {
    let lambdas: Vec<f64> = (1..=1500).map(|number| f64::from(number) / 1e4).collect();
    store.sweep_submit(sweep("s", &lambdas)).await.unwrap();
    register(store, "w").await;
    store.tamper("update runs set config = 'garbage' where idx < 2990").await;
    let granted = store.run_claim(claim("w", "c", 1), LEASE).await.unwrap();
    assert_eq!(granted.iter().map(|grant| grant.number).collect::<Vec<_>>(), [2990]);
}

async fn is_started_when_it_can_be_read(store: Tested) {
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    register(&store, "w").await;
    store.tamper("update runs set config = replace(config, '{', '{\"weight_decay\":0.5,')").await;
    assert!(store.run_claim(claim("w", "c", 9), LEASE).await.unwrap().is_empty());
    store.tamper("update runs set config = replace(config, '\"weight_decay\":0.5,', '')").await;
    let store = store.start_again().await;
    assert_eq!(store.run_claim(claim("w", "d", 9), LEASE).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_run_of_a_file_that_could_not_be_read_is_started_by_the_next_coordinator_that_can() {
    is_started_when_it_can_be_read(Tested::sqlite().await).await;
}

#[tokio::test]
async fn a_run_of_a_server_that_could_not_be_read_is_started_by_the_next_coordinator_that_can() {
    if let Some(store) = Tested::postgres().await {
        is_started_when_it_can_be_read(store).await;
    }
}
