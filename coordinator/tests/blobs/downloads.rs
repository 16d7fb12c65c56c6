//! Blobs that are read.

use acai_proto::v1::DownloadRequest;
use tonic::Code;

use crate::server::{Coordinator, blob, sha256};

#[tokio::test]
async fn a_download_begins_anywhere() {
    let coordinator = Coordinator::start().await;
    let blob = blob(2_500_000);
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    for offset in [0, 1, (1 << 20) - 1, 1 << 20, 2_499_999, 2_500_000] {
        assert!(coordinator.download(&blob, offset).await.unwrap() == blob[offset..], "{offset}");
    }
    let beyond = coordinator.download(&blob, 2_500_001).await.unwrap_err();
    assert_eq!(beyond.code(), Code::OutOfRange, "{beyond}");
}

#[tokio::test]
async fn a_blob_that_is_not_whole_is_not_there() {
    let coordinator = Coordinator::start().await;
    let blob = blob(1000);
    let begun = coordinator.begin_upload(coordinator.header(&blob, 0)).await;
    begun.send(&blob).await;
    coordinator.staged(&blob, 1000).await;
    let missing = coordinator.download(&blob, 0).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound, "{missing}");
    begun.end().await.unwrap();
    assert_eq!(coordinator.download(&blob, 0).await.unwrap(), blob);
}

/// The coordinator does not read a blob twice to verify it first: its reader hashes it anyway.
#[tokio::test]
async fn a_bit_that_flipped_on_disk_is_found_by_the_readers_hash() {
    let coordinator = Coordinator::start().await;
    let blob = blob(100_000);
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    let path = coordinator.path(&sha256(&blob)).await;
    let mut damaged = std::fs::read(&path).unwrap();
    damaged[50_000] ^= 0b100;
    std::fs::write(&path, damaged).unwrap();
    let read = coordinator.download(&blob, 0).await.unwrap();
    assert_eq!(read.len(), blob.len());
    assert_ne!(sha256(&read), sha256(&blob));
}

#[tokio::test]
async fn a_client_that_reads_nothing_stops_nobody_else() {
    let coordinator = Coordinator::start().await;
    let blob = blob(8 << 20);
    coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap();
    let request = DownloadRequest { sha256: sha256(&blob), offset: 0 };
    let idle = coordinator.connect().await.download(request).await.unwrap();
    assert!(coordinator.download(&blob, 0).await.unwrap() == blob);
    drop(idle);
}
