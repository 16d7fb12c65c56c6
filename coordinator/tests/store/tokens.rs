//! An attempt is known by its token: another database, or an older state of this one, has the same numbers.

use acai_coordinator::store::{AttemptRef, Checkpoint, StoreError};
use acai_sweep::run::RunState;

use crate::{LEASE, Tested, claim_one, contract, one_running, point, upload};

contract!(
    an_attempt_of_another_database_is_refused_whatever_it_says,
    a_worker_of_version_0_1_0_is_known_by_run_and_number,
    a_grant_tells_what_the_database_holds_of_earlier_attempts,
    a_failure_is_not_charged_to_a_run_whose_acknowledged_points_are_gone,
);

async fn an_attempt_of_another_database_is_refused_whatever_it_says(store: &Tested) {
    let own = one_running(store).await;
    store.metrics_append(own, 1, vec![point("a", 1, 1.0)], 1).await.unwrap();
    let foreign = AttemptRef { token: own.token ^ 1, ..own };
    let checkpoint = Checkpoint { step: 1, sha256: "0".repeat(64), bytes: 1 };
    assert!(upload(store, &checkpoint.sha256, "", 1).await);
    for (call, answer) in [
        ("append", store.metrics_append(foreign, 2, vec![point("a", 2, 9.0)], 2).await.map(drop)),
        ("check", store.attempt_check(foreign).await),
        ("commit", store.checkpoint_commit(foreign, checkpoint.clone(), 1).await),
        (
            "reject",
            store.checkpoint_reject(foreign, checkpoint.sha256.clone(), String::new()).await.map(drop),
        ),
        ("complete", store.attempt_complete(foreign, 100, 1).await),
        ("fail", store.attempt_fail(foreign, true, String::new(), 0).await.map(drop)),
        ("release", store.attempt_release(foreign).await.map(drop)),
    ] {
        assert!(matches!(answer, Err(StoreError::Fenced(_))), "{call}: {answer:?}");
    }
    assert_eq!(store.lease_renew("w", vec![foreign, own], LEASE).await.unwrap().fenced, [foreign]);

    let [run] = store.run_list("s", &[RunState::Running]).await.unwrap().try_into().unwrap();
    assert_eq!((run.id, run.step), (own.run, 1));
    store.attempt_complete(own, 100, 1).await.unwrap();
    let repeated = store.attempt_complete(foreign, 100, 1).await;
    assert!(matches!(repeated, Err(StoreError::Fenced(_))), "{repeated:?}");
}

async fn a_worker_of_version_0_1_0_is_known_by_run_and_number(store: &Tested) {
    let attempt = AttemptRef { token: AttemptRef::NO_TOKEN, ..one_running(store).await };
    store.metrics_append(attempt, 1, vec![point("a", 1, 1.0)], 1).await.unwrap();
    assert_eq!(store.lease_renew("w", vec![attempt], LEASE).await.unwrap().fenced, []);
    store.attempt_release(attempt).await.unwrap();
    let older = AttemptRef { number: attempt.number, ..claim_one(store, "again").await };
    let refused = store.attempt_check(older).await;
    assert!(matches!(refused, Err(StoreError::Fenced(_))), "{refused:?}");
}

async fn a_grant_tells_what_the_database_holds_of_earlier_attempts(store: &Tested) {
    let first = one_running(store).await;
    store.metrics_append(first, 1, vec![point("a", 1, 1.0), point("a", 2, 1.0)], 2).await.unwrap();
    store.attempt_release(first).await.unwrap();
    let second = claim_one(store, "second").await;
    store.attempt_release(second).await.unwrap();
    let grants = store.run_claim(crate::claim("w", "third", 1), LEASE).await.unwrap();
    let [latest, earliest] = grants[0].earlier_attempts[..] else { panic!("{grants:?}") };
    assert_eq!((latest.number, latest.token, latest.acked_seq), (2, second.token, 0));
    assert_eq!((earliest.number, earliest.token, earliest.acked_seq), (1, first.token, 2));
    assert!(first.token != second.token && first.token != AttemptRef::NO_TOKEN);
}

async fn a_failure_is_not_charged_to_a_run_whose_acknowledged_points_are_gone(store: &Tested) {
    let attempt = one_running(store).await;
    // Two points were acknowledged; the backup is older than the second one.
    store.metrics_append(attempt, 1, vec![point("a", 1, 1.0)], 1).await.unwrap();
    for diverged in [false, true] {
        let refused = store.attempt_fail(attempt, diverged, "NaN".to_owned(), 2).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        let run = &store.run_list("s", &[]).await.unwrap()[0];
        assert_eq!((run.state, run.failures), (RunState::Running, 0));
    }
    assert_eq!(store.attempt_release(attempt).await.unwrap(), RunState::Queued);

    let again = claim_one(store, "again").await;
    assert_eq!(again.run, attempt.run);
    store.metrics_append(again, 1, vec![point("a", 1, 1.0), point("a", 2, 1.0)], 2).await.unwrap();
    for _repeated in 0..2 {
        let failed = store.attempt_fail(again, false, "NaN".to_owned(), 2).await.unwrap();
        assert_eq!(failed, RunState::Queued);
    }
    assert_eq!(store.run_list("s", &[]).await.unwrap()[0].failures, 1);
}
