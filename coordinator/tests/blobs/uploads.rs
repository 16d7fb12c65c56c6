//! Blobs that arrive, in one go or not.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1::{Checkpoint, CommitCheckpointRequest, RejectCheckpointRequest};
use tokio::task::JoinSet;
use tonic::Code;

use crate::server::{Coordinator, blob, files, sha256};

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
    assert_eq!(files(&coordinator.root()), [coordinator.path(&sha256(&blob))], "nothing else is left");
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
        assert_eq!(second.code(), Code::Unavailable, "{second}");
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
                    Err(status) if matches!(status.code(), Code::Unavailable | Code::OutOfRange) => {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    answer => break answer.unwrap(),
                }
            }
        });
    }
    uploads.join_all().await;
    assert_eq!(files(&coordinator.root()).len(), 4);
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
async fn a_blob_of_which_the_store_was_never_told_is_not_complete_until_it_is() {
    let coordinator = Coordinator::start().await;
    let blob = blob(1000);
    let path = coordinator.path(&sha256(&blob));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // As a coordinator leaves it that is killed between the two.
    std::fs::write(path, &blob).unwrap();
    let stat = coordinator.stat(&blob).await;
    assert_eq!((stat.complete, stat.bytes), (false, 0));
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    assert!(coordinator.stat(&blob).await.complete);
    assert!(coordinator.store.blob_exists(&sha256(&blob)).await.unwrap());
}

#[tokio::test]
async fn a_rejected_checkpoint_is_deleted_and_can_be_sent_again() {
    let coordinator = Coordinator::start().await;
    let (blob, mut workers) = (blob(1000), coordinator.workers().await);
    let (attempt, sha256) = (coordinator.header(&blob, 0).attempt, sha256(&blob));
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    std::fs::write(coordinator.path(&sha256), vec![0; 1000]).unwrap();
    let reason = "its bytes have changed".to_owned();
    let reject = RejectCheckpointRequest { attempt, sha256: sha256.clone(), reason };
    workers.reject_checkpoint(reject).await.unwrap();
    // Refused for the moment that it takes to delete the file.
    while coordinator.upload(coordinator.header(&blob, 0), &blob).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(coordinator.download(&blob, 0).await.unwrap(), blob);
    let checkpoint = Some(Checkpoint { step: 10, sha256, bytes: 1000 });
    let commit = CommitCheckpointRequest { attempt, checkpoint, last_seq: 0 };
    workers.commit_checkpoint(commit).await.unwrap();
}
