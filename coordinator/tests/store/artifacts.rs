//! Files that runs leave for people.

use acai_coordinator::store::{Artifact, AttemptRef, StoreError};
use acai_sweep::control::Intent;
use acai_sweep::run::RunState;

use crate::{LEASE, Tested, claim, claim_one, contract, file, one_running, register, sweep, upload};

contract!(
    artifacts_are_listed_by_run_step_and_name_from_any_place_on,
    an_attempt_that_has_ended_brings_its_last_pictures_and_one_that_was_followed_by_another_brings_none,
    an_artifact_that_is_drawn_again_takes_the_place_of_the_first,
    a_blob_that_is_not_there_is_refused,
    garbage_is_what_neither_a_checkpoint_nor_an_artifact_needs,
    a_run_that_starts_from_scratch_forgets_its_artifacts,
);

fn artifact(name: &str, step: u64, sha256: &str) -> Artifact {
    Artifact { name: name.to_owned(), step, sha256: sha256.to_owned(), bytes: 8 }
}

/// Uploads a blob and makes it an artifact.
async fn bring(store: &Tested, attempt: AttemptRef, name: &str, step: u64) {
    let sha256 = format!("{}-{name}-{step}", attempt.run);
    upload(store, &sha256, "tag", 8).await;
    store.artifact_add(attempt, artifact(name, step, &sha256)).await.unwrap();
}

/// Number of the run, step and name of each artifact.
async fn listed(store: &Tested, numbers: &[u32]) -> Vec<(u32, u64, String)> {
    let mut listed = Vec::new();
    let mut after = None;
    // In pages of two.
    loop {
        let page = store.artifact_list("s", numbers, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { return listed };
        after = Some(last.place());
        listed.extend(page.into_iter().map(|found| (found.number, found.artifact.step, found.artifact.name)));
    }
}

fn named(found: &[(u32, u64, &str)]) -> Vec<(u32, u64, String)> {
    found.iter().map(|&(number, step, name)| (number, step, name.to_owned())).collect()
}

async fn artifacts_are_listed_by_run_step_and_name_from_any_place_on(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    register(store, "w").await;
    let held = store.run_claim(claim("w", "c", 4), LEASE).await.unwrap();
    let attempt = |number: u32| held.iter().find(|grant| grant.number == number).unwrap().attempt;
    for (number, name, step) in [(3, "b", 1), (0, "b", 20), (0, "a", 20), (0, "b", 3), (1, "a", 3)] {
        bring(store, attempt(number), name, step).await;
    }
    let all = [(0, 3, "b"), (0, 20, "a"), (0, 20, "b"), (1, 3, "a"), (3, 1, "b")];
    assert_eq!(listed(store, &[]).await, named(&all));
    assert_eq!(listed(store, &[3, 1]).await, named(&all[3..]));
    let [first] = store.artifact_list("s", &[1], None, 9).await.unwrap().try_into().unwrap();
    assert_eq!((first.attempt, first.artifact.bytes), (1, 8));

    // Runs 0 and 2 are set aside: shown where they are named.
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    assert_eq!(listed(store, &[]).await, named(&all[3..]));
    assert_eq!(listed(store, &[0]).await.len(), 3);
}

async fn an_attempt_that_has_ended_brings_its_last_pictures_and_one_that_was_followed_by_another_brings_none(
    store: &Tested,
) {
    let first = one_running(store).await;
    store.attempt_release(first).await.unwrap();
    store.attempt_check_latest(first).await.unwrap();
    bring(store, first, "a", 10).await;
    let second = claim_one(store, "second").await;
    assert_eq!(second.run, first.run);
    let late = store.artifact_add(first, artifact("b", 10, "1-a-10")).await;
    assert!(matches!(late, Err(StoreError::Fenced(attempt)) if attempt == first), "{late:?}");
    assert!(matches!(store.attempt_check_latest(first).await, Err(StoreError::Fenced(_))));
    // One of the same number in another database.
    let foreign = AttemptRef { token: second.token ^ 1, ..second };
    let refused = store.artifact_add(foreign, artifact("b", 10, "1-a-10")).await;
    assert!(matches!(refused, Err(StoreError::Fenced(_))), "{refused:?}");

    store.attempt_complete(second, 100, 0).await.unwrap();
    bring(store, second, "b", 100).await;
    assert_eq!(listed(store, &[]).await, named(&[(0, 10, "a"), (0, 100, "b")]));
}

async fn an_artifact_that_is_drawn_again_takes_the_place_of_the_first(store: &Tested) {
    let attempt = one_running(store).await;
    for sha256 in ["first", "second", "second"] {
        upload(store, sha256, sha256, 8).await;
        store.artifact_add(attempt, artifact("a", 10, sha256)).await.unwrap();
    }
    let [only] = store.artifact_list("s", &[], None, 9).await.unwrap().try_into().unwrap();
    assert_eq!(only.artifact.sha256, "second");
}

async fn a_blob_that_is_not_there_is_refused(store: &Tested) {
    let attempt = one_running(store).await;
    let refused = store.artifact_add(attempt, artifact("a", 10, "nowhere")).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    upload(store, "shorter", "tag", 7).await;
    let refused = store.artifact_add(attempt, artifact("a", 10, "shorter")).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert!(listed(store, &[]).await.is_empty());
}

async fn garbage_is_what_neither_a_checkpoint_nor_an_artifact_needs(store: &Tested) {
    let attempt = one_running(store).await;
    bring(store, attempt, "a", 10).await;
    upload(store, "unneeded", "tag", 8).await;
    store.clock.set(1000);
    assert_eq!(store.blob_collect(10, 10).await.unwrap(), [file("unneeded", "tag")]);
    // A damaged file is forgotten with all that is in it.
    let (damaged, _) = store.blob_find(&format!("{}-a-10", attempt.run)).await.unwrap().unwrap();
    assert!(store.blob_condemn(damaged).await.unwrap());
    assert!(listed(store, &[]).await.is_empty());
}

async fn a_run_that_starts_from_scratch_forgets_its_artifacts(store: &Tested) {
    let attempt = one_running(store).await;
    bring(store, attempt, "a", 10).await;
    store.attempt_fail(attempt, true, "loss_ae is NaN".to_owned(), 0).await.unwrap();
    let retry = |from_scratch| Intent::Retry { states: vec![RunState::Diverged], from_scratch };
    store.runs_change("s", vec![0], retry(false)).await.unwrap();
    assert_eq!(listed(store, &[]).await.len(), 1);
    let again = claim_one(store, "again").await;
    store.attempt_fail(again, true, "loss_ae is NaN".to_owned(), 0).await.unwrap();
    store.runs_change("s", vec![0], retry(true)).await.unwrap();
    assert!(listed(store, &[]).await.is_empty());
}
