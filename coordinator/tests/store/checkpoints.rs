//! What runs resume from: behind the barrier, whole, and never deleted while it is needed.

use acai_coordinator::store::{AttemptRef, Checkpoint, StoreError};
use acai_sweep::control::Intent;
use acai_sweep::run::RunState;

use crate::{LEASE, Tested, claim, claim_one, contract, file, one_running, point, upload};

contract!(
    a_checkpoint_is_committed_only_when_the_points_before_it_are_durable,
    only_a_stored_blob_can_be_committed,
    the_newest_two_are_granted_newest_first,
    a_rejected_checkpoint_is_not_granted_again_and_its_blob_is_kept,
    a_damaged_blob_is_forgotten_with_the_checkpoints_of_all_runs,
    of_two_files_with_the_same_bytes_the_first_is_the_blobs_unless_it_is_gone,
    a_fenced_attempt_commits_nothing,
    a_new_checkpoint_forgives_the_losses_before_it,
    a_checkpoint_that_is_not_beyond_all_others_forgives_nothing,
    retry_from_scratch_forgets_checkpoints,
    a_blob_is_garbage_only_when_no_checkpoint_has_needed_it_for_a_while,
    a_file_is_known_from_before_it_is_made_and_never_again_once_it_is_forgotten,
);

fn digest(of: u8) -> String {
    format!("{of:02x}").repeat(32)
}

fn checkpoint(step: u64) -> Checkpoint {
    Checkpoint { step, sha256: digest(step as u8), bytes: 1000 + step }
}

async fn commit(store: &Tested, attempt: AttemptRef, step: u64) {
    let checkpoint = checkpoint(step);
    upload(store, &checkpoint.sha256, "", checkpoint.bytes).await;
    store.checkpoint_commit(attempt, checkpoint, 0).await.unwrap();
}

/// The checkpoints that come with the next grant of the run.
async fn granted(store: &Tested, id: &str) -> (AttemptRef, Vec<u64>) {
    let grant = store.run_claim(claim("w", id, 1), LEASE).await.unwrap().remove(0);
    (grant.attempt, grant.checkpoints.iter().map(|checkpoint| checkpoint.step).collect())
}

async fn a_checkpoint_is_committed_only_when_the_points_before_it_are_durable(store: &Tested) {
    let attempt = one_running(store).await;
    upload(store, &digest(10), "", 1010).await;
    store.metrics_append(attempt, 1, vec![point("a", 1, 1.0)], 10).await.unwrap();
    let early = store.checkpoint_commit(attempt, checkpoint(10), 2).await;
    assert!(matches!(early, Err(StoreError::Conflict(_))), "{early:?}");
    store.attempt_release(attempt).await.unwrap();
    let (attempt, steps) = granted(store, "again").await;
    assert_eq!(steps, [0u64; 0], "a refused checkpoint is none");
    store.metrics_append(attempt, 1, vec![point("a", 1, 1.0), point("a", 2, 1.0)], 10).await.unwrap();
    store.checkpoint_commit(attempt, checkpoint(10), 2).await.unwrap();
    store.checkpoint_commit(attempt, checkpoint(10), 2).await.unwrap();
    store.attempt_release(attempt).await.unwrap();
    assert_eq!(granted(store, "third").await.1, [10]);
}

async fn only_a_stored_blob_can_be_committed(store: &Tested) {
    let attempt = one_running(store).await;
    let absent = store.checkpoint_commit(attempt, checkpoint(10), 0).await;
    assert!(matches!(absent, Err(StoreError::Conflict(_))), "{absent:?}");
    upload(store, &digest(10), "", 999).await;
    let other_size = store.checkpoint_commit(attempt, checkpoint(10), 0).await;
    assert!(matches!(other_size, Err(StoreError::Conflict(_))), "{other_size:?}");
}

async fn the_newest_two_are_granted_newest_first(store: &Tested) {
    let attempt = one_running(store).await;
    for step in [10, 20, 30] {
        commit(store, attempt, step).await;
    }
    store.attempt_release(attempt).await.unwrap();
    assert_eq!(granted(store, "again").await.1, [30, 20]);
}

async fn a_rejected_checkpoint_is_not_granted_again_and_its_blob_is_kept(store: &Tested) {
    let attempt = one_running(store).await;
    commit(store, attempt, 10).await;
    commit(store, attempt, 20).await;
    for _ in 0..2 {
        store.checkpoint_reject(attempt, digest(20), "of another version".to_owned()).await.unwrap();
    }
    store.attempt_release(attempt).await.unwrap();
    let (attempt, steps) = granted(store, "again").await;
    assert_eq!(steps, [10]);
    store.clock.set(1_000);
    store.blob_collect(0, 0).await.unwrap();
    assert!(store.blob_find(&digest(20)).await.unwrap().is_some(), "another version may read it");
    // Trained again and sent again, it is as good as any.
    commit(store, attempt, 20).await;
    store.attempt_release(attempt).await.unwrap();
    let (attempt, steps) = granted(store, "third").await;
    assert_eq!(steps, [20, 10]);
    store.checkpoint_reject(attempt, digest(10), "of another version".to_owned()).await.unwrap();
    store.attempt_complete(attempt, 100, 0).await.unwrap();
    store.clock.set(2_000);
    store.blob_collect(0, 0).await.unwrap();
    assert!(store.blob_find(&digest(10)).await.unwrap().is_none(), "nobody needs it any more");
    assert!(store.blob_find(&digest(20)).await.unwrap().is_some(), "it is the trained model");
}

async fn a_damaged_blob_is_forgotten_with_the_checkpoints_of_all_runs(store: &Tested) {
    let first = one_running(store).await;
    let second = claim_one(store, "second").await;
    for attempt in [first, second] {
        commit(store, attempt, 10).await;
        commit(store, attempt, 20).await;
    }
    assert!(!store.blob_condemn(file(&digest(20), "another")).await.unwrap(), "it has another file by now");
    assert!(store.blob_condemn(file(&digest(20), "")).await.unwrap());
    assert!(!store.blob_condemn(file(&digest(20), "")).await.unwrap());
    assert!(store.blob_find(&digest(20)).await.unwrap().is_none());
    let refused = store.checkpoint_commit(second, checkpoint(20), 0).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert!(upload(store, &digest(20), "again", 1020).await, "nothing has to be waited for");
    store.checkpoint_commit(second, checkpoint(20), 0).await.unwrap();
    store.attempt_release(first).await.unwrap();
    assert_eq!(granted(store, "third").await.1, [10]);
}

async fn of_two_files_with_the_same_bytes_the_first_is_the_blobs_unless_it_is_gone(store: &Tested) {
    let sha256 = digest(10);
    assert!(upload(store, &sha256, "first", 1010).await && !upload(store, &sha256, "second", 1010).await);
    store.blob_begin(file(&sha256, "third")).await.unwrap();
    let gone = Some(file(&sha256, "first"));
    let added = store.blob_add(file(&sha256, "third"), 1010, gone.clone()).await.unwrap();
    assert_eq!(added, Some(file(&sha256, "third")));
    store.blob_begin(file(&sha256, "fourth")).await.unwrap();
    let added = store.blob_add(file(&sha256, "fourth"), 1010, gone).await.unwrap();
    assert_eq!(added, Some(file(&sha256, "third")), "somebody else has replaced it already");
    assert_eq!(store.blob_files().await.unwrap(), [file(&sha256, "third")]);
}

async fn a_fenced_attempt_commits_nothing(store: &Tested) {
    let zombie = one_running(store).await;
    upload(store, &digest(10), "", 1010).await;
    store.expire_at(LEASE + 1).await.unwrap();
    let heir = claim_one(store, "second").await;
    assert_eq!(heir.run, zombie.run);
    let commit = store.checkpoint_commit(zombie, checkpoint(10), 0).await;
    let reject = store.checkpoint_reject(zombie, digest(10), String::new()).await;
    let check = store.attempt_check(zombie).await;
    for refused in [commit, reject.map(drop), check] {
        assert!(matches!(refused, Err(StoreError::Fenced(attempt)) if attempt == zombie), "{refused:?}");
    }
    store.attempt_check(heir).await.unwrap();
    store.attempt_release(heir).await.unwrap();
    assert!(granted(store, "third").await.1.is_empty());
}

async fn a_new_checkpoint_forgives_the_losses_before_it(store: &Tested) {
    one_running(store).await;
    store.expire_at(LEASE + 1).await.unwrap();
    let second = claim_one(store, "second").await;
    assert_eq!(store.run_list("s", &[RunState::Running]).await.unwrap()[0].losses, 1);
    commit(store, second, 10).await;
    assert_eq!(store.run_list("s", &[RunState::Running]).await.unwrap()[0].losses, 0);
}

async fn a_checkpoint_that_is_not_beyond_all_others_forgives_nothing(store: &Tested) {
    let attempt = one_running(store).await;
    commit(store, attempt, 50).await;
    for (round, id) in ["second", "third", "fourth"].into_iter().enumerate() {
        store.expire_at((round as i64 + 1) * (LEASE + 1)).await.unwrap();
        let run = &store.run_list("s", &[]).await.unwrap()[0];
        assert_eq!(run.losses, round as u32 + 1);
        if round == 2 {
            assert_eq!(run.state, RunState::Lost);
            break;
        }
        // It began from scratch, since its machine had nothing of it, and dies before it is as far as the one before.
        let attempt = claim_one(store, id).await;
        commit(store, attempt, 10).await;
        commit(store, attempt, 50).await;
    }
}

async fn retry_from_scratch_forgets_checkpoints(store: &Tested) {
    let attempt = one_running(store).await;
    commit(store, attempt, 10).await;
    store.attempt_fail(attempt, true, "loss_ae is NaN".to_owned(), 0).await.unwrap();
    let retry = |from_scratch| Intent::Retry { states: vec![RunState::Diverged], from_scratch };
    store.runs_change("s", vec![0], retry(false)).await.unwrap();
    let (attempt, steps) = granted(store, "kept").await;
    assert_eq!(steps, [10]);
    store.attempt_fail(attempt, true, "loss_ae is NaN".to_owned(), 0).await.unwrap();
    store.runs_change("s", vec![0], retry(true)).await.unwrap();
    let grant = store.run_claim(claim("w", "from scratch", 1), LEASE).await.unwrap().remove(0);
    assert_eq!((grant.checkpoints.len(), grant.void_attempts, grant.attempt.number), (0, 2, 3));
}

async fn a_blob_is_garbage_only_when_no_checkpoint_has_needed_it_for_a_while(store: &Tested) {
    let attempt = one_running(store).await;
    let stored = async |step| store.blob_find(&digest(step)).await.unwrap().is_some();
    for step in [10, 20] {
        commit(store, attempt, step).await;
    }
    upload(store, &digest(99), "", 1).await;
    store.clock.set(1_000);
    store.blob_collect(1_000, 5_000).await.unwrap();
    assert!(stored(99).await, "an upload has time to be committed");
    commit(store, attempt, 30).await;
    store.clock.set(1_001);
    store.blob_collect(1_000, 5_000).await.unwrap();
    assert!(!stored(99).await);
    store.clock.set(2_000);
    store.blob_collect(1_000, 5_000).await.unwrap();
    assert!(stored(10).await, "dropped at 1,000 is still young");
    store.clock.set(2_001);
    store.blob_collect(1_000, 5_000).await.unwrap();
    assert!(!stored(10).await);
    let refused = store.checkpoint_commit(attempt, checkpoint(10), 0).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    store.clock.set(i64::MAX / 2);
    store.blob_collect(0, 0).await.unwrap();
    assert!(stored(20).await && stored(30).await, "what the run resumes from");
    assert!(upload(store, &digest(10), "again", 1010).await);
    store.checkpoint_commit(attempt, checkpoint(10), 0).await.unwrap();
}

async fn a_file_is_known_from_before_it_is_made_and_never_again_once_it_is_forgotten(store: &Tested) {
    let (slow, failed) = (file(&digest(1), "slow"), file(&digest(2), "failed"));
    store.blob_begin(slow.clone()).await.unwrap();
    store.blob_begin(failed.clone()).await.unwrap();
    store.blob_abandon(failed.clone()).await.unwrap();
    assert_eq!(store.blob_files().await.unwrap(), std::slice::from_ref(&slow));
    assert_eq!(store.blob_add(failed, 1, None).await.unwrap(), None);
    store.clock.set(5_000);
    store.blob_collect(1_000, 5_000).await.unwrap();
    assert_eq!(store.blob_files().await.unwrap(), std::slice::from_ref(&slow));
    store.clock.set(5_001);
    store.blob_collect(1_000, 5_000).await.unwrap();
    assert_eq!(store.blob_files().await.unwrap(), []);
    assert_eq!(store.blob_add(slow, 1, None).await.unwrap(), None, "its file may be deleted by now");
    assert!(store.blob_find(&digest(1)).await.unwrap().is_none());
}
