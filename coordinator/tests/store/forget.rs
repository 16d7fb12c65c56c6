//! Sweeps that nobody wants any more.

use acai_coordinator::store::{Artifact, Checkpoint, StoreError, Weight};
use acai_sweep::control::Intent;

use crate::{Tested, claim_one, contract, file, one_running, point, sweep, upload};

contract!(
    a_forgotten_sweep_is_gone_with_all_that_it_had_and_its_name_is_free,
    a_sweep_that_is_trained_is_not_forgotten,
    a_sweep_of_many_runs_is_forgotten_in_steps_and_others_stay,
    a_run_with_more_points_than_one_step_deletes_is_forgotten_too,
);

async fn a_forgotten_sweep_is_gone_with_all_that_it_had_and_its_name_is_free(store: &Tested) {
    let attempt = one_running(store).await;
    store.metrics_append(attempt, 1, vec![point("a", 1, 1.0), point("a", 2, 1.0)], 2).await.unwrap();
    for name in ["checkpoint", "artifact"] {
        upload(store, name, "tag", 8).await;
    }
    let checkpoint = Checkpoint { step: 2, sha256: "checkpoint".to_owned(), bytes: 8 };
    store.checkpoint_commit(attempt, checkpoint, 2).await.unwrap();
    let artifact = Artifact { name: "a.png".to_owned(), step: 2, sha256: "artifact".to_owned(), bytes: 8 };
    store.artifact_add(attempt, artifact).await.unwrap();
    store.attempt_complete(attempt, 100, 2).await.unwrap();

    let weight = Weight { runs: 2, running: 0, points: 2, checkpoints: 1, artifacts: 1, bytes: 16 };
    assert_eq!(store.sweep_weigh("s").await.unwrap(), Some(weight));
    assert!(store.sweep_forget("s").await.unwrap());
    assert_eq!(store.sweep_weigh("s").await.unwrap(), None);
    assert!(store.sweep_list().await.unwrap().is_empty());
    assert!(!store.sweep_forget("s").await.unwrap());
    // Its blobs are garbage like others.
    store.clock.set(1000);
    let mut collected = store.blob_collect(10, 10).await.unwrap();
    collected.sort();
    assert_eq!(collected, [file("artifact", "tag"), file("checkpoint", "tag")]);

    // What still comes for it is refused, also when there is another run of its number.
    let late = store.metrics_append(attempt, 3, vec![point("a", 3, 1.0)], 3).await;
    assert!(matches!(late, Err(StoreError::Fenced(_))), "{late:?}");
    store.sweep_submit(sweep("s", &[0.9])).await.unwrap();
    let again = claim_one(store, "again").await;
    let late = store.metrics_append(attempt, 3, vec![point("a", 3, 1.0)], 3).await;
    assert!(matches!(late, Err(StoreError::Fenced(_))), "{late:?} beside {again:?}");
    assert_eq!(store.run_list("s", &[]).await.unwrap()[0].number, 0);
}

async fn a_sweep_that_is_trained_is_not_forgotten(store: &Tested) {
    let attempt = one_running(store).await;
    let refused = store.sweep_forget("s").await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(store.sweep_list().await.unwrap()[0].paused, None);
    store.runs_change("s", vec![], Intent::Cancel).await.unwrap();
    store.attempt_release(attempt).await.unwrap();
    assert!(store.sweep_forget("s").await.unwrap());
}

async fn a_sweep_of_many_runs_is_forgotten_in_steps_and_others_stay(store: &Tested) {
    let lambdas: Vec<f64> = (1..40).map(|nth| f64::from(nth) / 40.0).collect();
    store.sweep_submit(sweep("s", &lambdas)).await.unwrap();
    store.sweep_submit(sweep("t", &[0.5])).await.unwrap();
    assert!(store.sweep_forget("s").await.unwrap());
    assert_eq!(store.run_list("t", &[]).await.unwrap().len(), 2);
    assert_eq!(store.sweep_list().await.unwrap().len(), 1);
}

async fn a_run_with_more_points_than_one_step_deletes_is_forgotten_too(store: &Tested) {
    let attempt = one_running(store).await;
    let mut last = 0;
    for name in ["a", "b"] {
        for from in (0..600_000).step_by(5_000) {
            let points = (from..from + 5_000).map(|step| point(name, step, 1.0)).collect();
            last = store.metrics_append(attempt, last + 1, points, 100).await.unwrap();
        }
    }
    store.attempt_complete(attempt, 100, last).await.unwrap();
    assert_eq!(store.sweep_weigh("s").await.unwrap().unwrap().points, 1_200_000);
    assert!(store.sweep_forget("s").await.unwrap());
    assert!(store.sweep_list().await.unwrap().is_empty());
}
