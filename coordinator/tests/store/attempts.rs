//! How attempts end, each end once.

use acai_coordinator::store::StoreError;
use acai_sweep::run::RunState;

use crate::{LEASE, Tested, claim_one, contract, one_running, point};

contract!(
    a_run_completes_with_all_its_steps_and_points_only,
    a_failed_run_is_restarted_while_its_sweep_allows,
    a_diverged_run_is_never_restarted,
    a_released_run_is_queued_blameless,
    the_first_end_of_an_attempt_wins,
    a_message_with_a_character_that_no_database_takes_is_kept_without_it,
);

async fn a_run_completes_with_all_its_steps_and_points_only(store: &Tested) {
    let attempt = one_running(store).await;
    store.metrics_append(attempt, 1, vec![point("a", 1, 1.0)], 1).await.unwrap();
    let early = store.attempt_complete(attempt, 99, 1).await;
    assert!(matches!(early, Err(StoreError::Conflict(_))), "{early:?}");
    let unreported = store.attempt_complete(attempt, 100, 2).await;
    assert!(matches!(unreported, Err(StoreError::Conflict(_))), "{unreported:?}");
    assert_eq!(store.run_list("s", &[RunState::Running]).await.unwrap().len(), 1, "refusals change nothing");

    store.attempt_complete(attempt, 100, 1).await.unwrap();
    store.attempt_complete(attempt, 100, 1).await.unwrap();
    let [run] = store.run_list("s", &[RunState::Completed]).await.unwrap().try_into().unwrap();
    assert_eq!((run.id, run.step), (attempt.run, 100));
}

async fn a_failed_run_is_restarted_while_its_sweep_allows(store: &Tested) {
    let first = one_running(store).await;
    let fail = async |attempt| store.attempt_fail(attempt, false, "out of luck".to_owned(), 0).await.unwrap();
    assert_eq!(fail(first).await, RunState::Queued);
    assert_eq!(fail(first).await, RunState::Queued, "repeated, not counted");
    let second = claim_one(store, "second").await;
    assert_eq!(fail(second).await, RunState::Failed);
    let [run] = store.failure_list("s", 9).await.unwrap().try_into().unwrap();
    assert_eq!((run.state, run.failures, run.message.as_deref()), (RunState::Failed, 2, Some("out of luck")));
}

async fn a_diverged_run_is_never_restarted(store: &Tested) {
    let attempt = one_running(store).await;
    let state = store.attempt_fail(attempt, true, "loss_ae is NaN".to_owned(), 0).await.unwrap();
    assert_eq!(state, RunState::Diverged);
}

async fn a_released_run_is_queued_blameless(store: &Tested) {
    let attempt = one_running(store).await;
    store.attempt_release(attempt).await.unwrap();
    store.attempt_release(attempt).await.unwrap();
    let runs = store.run_list("s", &[]).await.unwrap();
    assert!(runs.iter().all(|run| run.state == RunState::Queued && run.failures == 0));
    assert!(store.failure_list("s", 9).await.unwrap().is_empty());
}

async fn the_first_end_of_an_attempt_wins(store: &Tested) {
    let lost = one_running(store).await;
    store.expire_at(LEASE + 1).await.unwrap();
    let released = claim_one(store, "second").await;
    store.attempt_release(released).await.unwrap();
    for attempt in [lost, released] {
        let complete = store.attempt_complete(attempt, 100, 0).await;
        let fail = store.attempt_fail(attempt, false, String::new(), 0).await;
        assert!(matches!(complete, Err(StoreError::Fenced(_))), "{complete:?}");
        assert!(matches!(fail, Err(StoreError::Fenced(_))), "{fail:?}");
    }
    let run = &store.run_list("s", &[]).await.unwrap()[0];
    assert_eq!((run.state, run.failures), (RunState::Queued, 0));
}

async fn a_message_with_a_character_that_no_database_takes_is_kept_without_it(store: &Tested) {
    let attempt = one_running(store).await;
    store.attempt_fail(attempt, true, "core\0dumped".to_owned(), 0).await.unwrap();
    let [run] = store.failure_list("s", 9).await.unwrap().try_into().unwrap();
    assert_eq!(run.message.as_deref(), Some("core\u{fffd}dumped"));
}
