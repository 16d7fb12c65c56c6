//! Blobs in a bucket of a real server that speaks S3, over loopback.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use acai_coordinator::blobs::s3::Bucket;
use acai_coordinator::blobs::{BlobError, Blobs, Name};
use acai_testing::s3::S3;
use tonic::Code;

use crate::server::{Coordinator, blob, files, sha256};

/// A bucket of the server, as a client with this secret sees it.
pub(crate) async fn open(server: &S3, url: &str, secret: &str) -> Result<Bucket, String> {
    let variables = server.environment().into_iter().map(|(name, value)| match name {
        "AWS_SECRET_ACCESS_KEY" => (name.to_owned(), secret.to_owned()),
        _ => (name.to_owned(), value.to_owned()),
    });
    let variables = variables.chain([("HOME".to_owned(), "/none/of/its/business".to_owned())]).collect();
    let local = server.folder().join("local");
    Bucket::open(url, &local, variables).await.map_err(|error| error.to_string())
}

async fn put(blobs: &dyn Blobs, bytes: &[u8]) -> Name {
    let name = Name::unused(sha256(bytes).parse().unwrap());
    let staged = blobs.staging().join(name.digest().as_str());
    std::fs::write(&staged, bytes).unwrap();
    blobs.put(&name, &staged).await.unwrap();
    assert!(!staged.exists());
    name
}

async fn read(blobs: &dyn Blobs, name: &Name, offset: u64) -> Vec<u8> {
    let mut chunks = blobs.read(name, offset).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await.unwrap() {
        assert!(chunk.len() <= 1 << 20, "{} bytes", chunk.len());
        bytes.extend(chunk);
    }
    bytes
}

#[tokio::test]
async fn blobs_in_a_bucket_are_put_read_listed_and_deleted() {
    let server = S3::start();
    let blobs = open(&server, "s3://checkpoints/of/acai", "secret").await.unwrap();
    // The second one is sent in parts.
    let (small, large) = (blob(10_000), blob((8 << 20) + 12_345));
    let mut names = Vec::new();
    for bytes in [&small, &large] {
        let name = put(&blobs, bytes).await;
        assert_eq!(blobs.size(&name).await.unwrap(), Some(bytes.len() as u64));
        assert!(read(&blobs, &name, 0).await == *bytes);
        assert!(read(&blobs, &name, 9_999).await == bytes[9_999..]);
        names.push(name);
    }
    let first = &names[0];
    let key = format!("server/checkpoints/of/acai/{}/{first}", &first.to_string()[..2]);
    assert!(server.folder().join(key).is_file());
    names.sort();
    let mut listed = blobs.list().await.unwrap();
    listed.sort();
    assert_eq!(listed, names);
    let first = &listed[0];
    blobs.delete(first).await.unwrap();
    blobs.delete(first).await.unwrap();
    assert_eq!(blobs.size(first).await.unwrap(), None);
    assert!(matches!(blobs.read(first, 0).await, Err(BlobError::Missing(_))));
    assert_eq!(blobs.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_checkpoint_goes_through_the_coordinator_to_a_bucket_and_back() {
    let server = S3::start();
    let blobs = Arc::new(open(&server, "s3://checkpoints", "secret").await.unwrap());
    let staging = blobs.staging().to_owned();
    let coordinator = Coordinator::start_on(tempfile::tempdir().unwrap(), blobs).await;
    let blob = blob(3_000_000);
    let begun = coordinator.begin_upload(coordinator.header(&blob, 0)).await;
    begun.send(&blob[..1_000_000]).await;
    begun.send(&blob[1_000_000..2_000_000]).await;
    coordinator.staged(&blob, 2_000_000).await;
    begun.send(&blob[2_000_000..]).await;
    begun.end().await.unwrap();
    assert!(coordinator.stat(&blob).await.complete);
    assert!(files(&staging).is_empty());
    coordinator.upload(coordinator.header(&blob, 0), b"").await.unwrap();
    for offset in [0, 1_500_000, 3_000_000] {
        assert!(coordinator.download(&blob, offset).await.unwrap() == blob[offset..], "{offset}");
    }
}

#[tokio::test]
async fn a_bucket_that_may_not_be_read_is_refused_at_the_start() {
    let server = S3::start();
    let wrong = open(&server, "s3://checkpoints/of/acai", "guessed").await.unwrap_err();
    assert!(wrong.contains("s3://checkpoints/of/acai"), "{wrong}");
    assert!(!wrong.contains("guessed"), "{wrong}");
    let missing = open(&server, "s3://no-such-bucket/acai", "secret").await.unwrap_err();
    assert!(missing.contains("s3://no-such-bucket/acai"), "{missing}");
}

#[tokio::test]
async fn a_bucket_that_may_not_be_written_is_not_tried_again_for_ever() {
    let server = S3::start();
    let blobs = Arc::new(open(&server, "s3://checkpoints", "secret").await.unwrap());
    let coordinator = Coordinator::start_on(tempfile::tempdir().unwrap(), blobs).await;
    let blob = blob(1000);
    server.faults().is_read_only.store(true, Ordering::Relaxed);
    let refused = coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap_err();
    assert_eq!(refused.code(), Code::DataLoss, "{refused}");
    assert!(refused.message().starts_with("cannot send a checkpoint to the bucket"), "{refused}");
    let told = coordinator.store.event_list("s", 0.into(), 9).await.unwrap().pop().unwrap().message;
    assert_eq!(told.as_deref(), Some(refused.message()), "people are told");
    server.faults().is_read_only.store(false, Ordering::Relaxed);
    coordinator.upload(coordinator.header(&blob, 1000), b"").await.unwrap();
    assert_eq!(coordinator.download(&blob, 0).await.unwrap(), blob);
}
