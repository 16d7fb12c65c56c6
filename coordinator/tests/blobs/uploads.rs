//! Blobs that arrive, in one go or not.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use acai_coordinator::blobs;
use acai_coordinator::store::{AttemptRef, Claim};
use acai_proto::v1::{Attempt, Checkpoint, CommitCheckpointRequest, RejectCheckpointRequest};
use acai_sweep::schedule::Offer;
use tokio::task::JoinSet;
use tonic::Code;

use crate::server::{Coordinator, blob, sha256};
use crate::slow::Slow;

#[tokio::test]
async fn an_upload_goes_on_where_its_connection_broke() {
    let coordinator = Coordinator::start().await;
    let blob = blob(1_000_000);
    for (from, to) in [(0, 300_000), (300_000, 300_001), (300_001, 700_000)] {
        let begun = coordinator.begin_upload(coordinator.header(&blob, from)).await;
        begun.send(&blob[from..to]).await;
        coordinator.staged(&blob, to).await;
        begun.hang_up();
        coordinator.nobody_uploads(&blob).await;
        assert!(!coordinator.stat(&blob).await.complete);
    }
    coordinator.upload(coordinator.header(&blob, 700_000), &blob[700_000..]).await.unwrap();
    let stat = coordinator.stat(&blob).await;
    assert_eq!((stat.complete, stat.bytes), (true, 1_000_000));
    assert_eq!(coordinator.wholes(), [coordinator.path(&sha256(&blob)).await], "nothing else is left");
    assert_eq!(sha256(&coordinator.download(&blob, 0).await.unwrap()), sha256(&blob));
}

#[tokio::test]
async fn nobody_else_on_the_machine_may_read_it() {
    let coordinator = Coordinator::start().await;
    let blob = blob(10);
    let begun = coordinator.begin_upload(coordinator.header(&blob, 0)).await;
    begun.send(&blob[..5]).await;
    coordinator.staged(&blob, 5).await;
    let staged = coordinator.root().join("staging").join(sha256(&blob));
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(staged), 0o600);
    assert_eq!(mode(coordinator.root().join("staging")), 0o700);
    assert_eq!(mode(coordinator.root()), 0o700);
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let coordinator = Coordinator::start().await;
    coordinator.upload(coordinator.header(b"", 0), b"").await.unwrap();
    assert!(coordinator.stat(b"").await.complete);
    assert_eq!(coordinator.download(b"", 0).await.unwrap(), b"");
}

#[tokio::test]
async fn a_blob_that_is_there_need_not_be_sent() {
    let coordinator = Coordinator::start().await;
    let blob = blob(250_000);
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    coordinator.upload(coordinator.header(&blob, 0), b"").await.unwrap();
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    let mut other_size = coordinator.header(&blob, 0);
    other_size.size += 1;
    let refused = coordinator.upload(other_size, b"").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
}

#[tokio::test]
async fn two_uploads_of_one_blob_do_not_meet_in_its_file() {
    let coordinator = Coordinator::start().await;
    let blob = blob(400_000);
    let first = coordinator.begin_upload(coordinator.header(&blob, 0)).await;
    first.send(&blob[..200_000]).await;
    coordinator.staged(&blob, 200_000).await;
    for offset in [0, 200_000] {
        let second =
            coordinator.upload(coordinator.header(&blob, offset), &blob[offset..]).await.unwrap_err();
        assert_eq!(second.code(), Code::Aborted, "{second}");
    }
    first.send(&blob[200_000..]).await;
    first.end().await.unwrap();
    coordinator.upload(coordinator.header(&blob, 200_000), b"").await.unwrap();
    assert_eq!(sha256(&coordinator.download(&blob, 0).await.unwrap()), sha256(&blob));
}

#[tokio::test]
async fn many_at_once_of_the_same_and_of_others_all_arrive() {
    let coordinator = Coordinator::start().await;
    let blobs: Vec<Vec<u8>> = (0..8).map(|index| blob(300_000 + index % 4)).collect();
    let coordinator = Arc::new(coordinator);
    let mut uploads = JoinSet::new();
    for blob in blobs {
        let coordinator = coordinator.clone();
        uploads.spawn(async move {
            loop {
                let stat = coordinator.stat(&blob).await;
                let staged = usize::try_from(stat.bytes).unwrap();
                match coordinator.upload(coordinator.header(&blob, staged), &blob[staged..]).await {
                    Err(status) if matches!(status.code(), Code::Aborted | Code::OutOfRange) => {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    answer => break answer.unwrap(),
                }
            }
        });
    }
    uploads.join_all().await;
    assert_eq!(coordinator.wholes().len(), 4);
}

#[tokio::test]
async fn a_slow_upload_outlives_the_deadline_of_other_calls() {
    let coordinator = Coordinator::start().await;
    let blob = blob(6);
    let begun = coordinator.begin_upload(coordinator.header(&blob, 0)).await;
    for byte in &blob {
        begun.send(&[*byte]).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    begun.end().await.unwrap();
    assert!(coordinator.stat(&blob).await.complete);
}

#[tokio::test]
async fn a_blob_whose_file_is_gone_is_uploaded_again() {
    let coordinator = Coordinator::start().await;
    let blob = blob(1000);
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    coordinator.commit(10, &blob).await;
    std::fs::remove_file(coordinator.path(&sha256(&blob)).await).unwrap();
    let stat = coordinator.stat(&blob).await;
    assert_eq!((stat.complete, stat.bytes), (false, 0));
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    assert_eq!(coordinator.download(&blob, 0).await.unwrap(), blob);
}

#[tokio::test]
async fn a_checkpoint_that_is_damaged_here_is_deleted_and_can_be_sent_again_at_once() {
    let coordinator = Coordinator::start().await;
    let (blob, mut workers) = (blob(1000), coordinator.workers().await);
    let (attempt, sha256) = (coordinator.header(&blob, 0).attempt, sha256(&blob));
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    coordinator.commit(10, &blob).await;
    let damaged = coordinator.path(&sha256).await;
    std::fs::write(&damaged, vec![0; 1000]).unwrap();
    let reason = "its bytes have changed".to_owned();
    let reject = RejectCheckpointRequest { attempt, sha256: sha256.clone(), reason, damaged: true };
    workers.reject_checkpoint(reject).await.unwrap();
    assert!(!damaged.exists());
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    assert_eq!(coordinator.download(&blob, 0).await.unwrap(), blob);
    let checkpoint = Some(Checkpoint { step: 10, sha256, bytes: 1000 });
    let commit = CommitCheckpointRequest { attempt, checkpoint, last_seq: 0 };
    workers.commit_checkpoint(commit).await.unwrap();
}

/// As what an interrupted restore, or the repair of a file system, leaves.
#[tokio::test]
async fn a_blob_whose_file_has_another_length_is_refused_to_readers_and_uploaded_again() {
    let coordinator = Coordinator::start().await;
    let blob = blob(1000);
    for wrong in [&blob[..0], &blob[..400], &[0; 1001]] {
        coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
        coordinator.commit(10, &blob).await;
        let damaged = coordinator.path(&sha256(&blob)).await;
        std::fs::write(&damaged, wrong).unwrap();
        for offset in [0, 1000] {
            let refused = coordinator.download(&blob, offset).await.unwrap_err();
            assert_eq!(refused.code(), Code::DataLoss, "{refused}");
        }
        let stat = coordinator.stat(&blob).await;
        assert_eq!((stat.complete, stat.bytes), (false, 0));
        coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
        assert_eq!(coordinator.download(&blob, 0).await.unwrap(), blob);
        assert!(!damaged.exists(), "what is replaced is not kept");
    }
}

#[tokio::test]
async fn a_copy_that_takes_long_to_look_at_is_looked_at_once_and_each_call_is_answered_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("blobs");
    let slow = Arc::new(Slow::new(blobs::open(root.to_str().unwrap(), &root).await.unwrap()));
    let coordinator = Coordinator::start_on(folder, slow.clone()).await;
    let (blob, mut workers) = (blob(1000), coordinator.workers().await);
    let (attempt, sha256) = (coordinator.header(&blob, 0).attempt, sha256(&blob));
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    coordinator.commit(10, &blob).await;
    let damaged = coordinator.path(&sha256).await;
    std::fs::write(&damaged, vec![0; 1000]).unwrap();
    for _ in 0..2 {
        let reason = "its bytes have changed".to_owned();
        let reject = RejectCheckpointRequest { attempt, sha256: sha256.clone(), reason, damaged: true };
        workers.reject_checkpoint(reject).await.unwrap();
    }
    assert_eq!(slow.begun.available_permits(), 1, "one read");
    slow.let_go.add_permits(2);
    let deadline = Instant::now() + Duration::from_secs(10);
    while damaged.exists() {
        assert!(Instant::now() < deadline, "the damaged file stays");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_checkpoint_that_is_whole_here_is_not_deleted_whatever_arrived_elsewhere() {
    let coordinator = Coordinator::start().await;
    let (blob, mut workers) = (blob(1000), coordinator.workers().await);
    let (attempt, sha256) = (coordinator.header(&blob, 0).attempt, sha256(&blob));
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    coordinator.commit(10, &blob).await;
    let reject = |damaged| {
        let (sha256, reason) = (sha256.clone(), "it arrived damaged".to_owned());
        RejectCheckpointRequest { attempt, sha256, reason, damaged }
    };
    workers.reject_checkpoint(reject(true)).await.unwrap();
    let checkpoints = async |number| {
        coordinator
            .store
            .attempt_release(AttemptRef { run: 1.into(), number, token: AttemptRef::NO_TOKEN })
            .await
            .unwrap();
        let offer = Offer { groups: 1, group_size: 1 };
        let number = u64::from(number) + 1;
        let claim = Claim { worker: "w".to_owned(), id: format!("c{number}"), number, offer, joins: None };
        coordinator.store.run_claim(claim, 60_000).await.unwrap()[0].checkpoints.len()
    };
    assert_eq!(checkpoints(coordinator.attempt.number).await, 1);
    let reject = RejectCheckpointRequest {
        attempt: Some(Attempt { run: 1, number: 2, token: 0 }),
        reason: "it is of another version".to_owned(),
        ..reject(false)
    };
    workers.reject_checkpoint(reject).await.unwrap();
    assert_eq!(checkpoints(2).await, 0, "the run does not go on from it");
    assert_eq!(coordinator.download(&blob, 0).await.unwrap(), blob, "but it is kept");
}
