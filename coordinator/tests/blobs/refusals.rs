//! What is no blob's upload, and leaves nothing.

use acai_access::{Scope, Token};
use acai_coordinator::Metrics;
use acai_coordinator::store::{Allowance, NewToken, StoreError, Submitter};
use acai_coordinator::use_cases::{Announced, Transfers, UseCaseError};
use acai_proto::v1::{Attempt, DownloadRequest, RenewRequest, StatRequest, UploadHeader, UploadRequest};
use tonic::{Code, Status};

use crate::server::{Coordinator, blob, files, sha256};

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, says: &str) {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), code, "{status}");
    assert!(status.message().contains(says), "{status}");
}

#[tokio::test]
async fn what_differs_from_its_digest_or_size_is_forgotten() {
    let coordinator = Coordinator::start().await;
    let blob = blob(250_000);
    let header = || coordinator.header(&blob, 0);
    let mut flipped = blob.clone();
    flipped[200_000] ^= 1;
    let longer = [&blob[..], b"x"].concat();
    for (data, says) in [
        (&flipped[..], "SHA-256"),
        (&blob[..249_999], "249999 bytes were sent"),
        (&longer, "more than 250000"),
    ] {
        assert_refused(coordinator.upload(header(), data).await, Code::InvalidArgument, says);
        assert_eq!(coordinator.stat(&blob).await.bytes, 0);
        assert!(coordinator.wholes().is_empty(), "{says}");
    }
    coordinator.upload(header(), &blob).await.unwrap();
}

#[tokio::test]
async fn an_upload_begins_where_what_is_staged_ends() {
    let coordinator = Coordinator::start().await;
    let blob = blob(1000);
    assert_refused(coordinator.upload(coordinator.header(&blob, 1), b"").await, Code::OutOfRange, "0 bytes");
    assert!(coordinator.wholes().is_empty());
    let begun = coordinator.begin_upload(coordinator.header(&blob, 0)).await;
    begun.send(&blob[..500]).await;
    coordinator.staged(&blob, 500).await;
    begun.hang_up();
    coordinator.nobody_uploads(&blob).await;
    for offset in [0, 499, 501, 1000] {
        let answer = coordinator.upload(coordinator.header(&blob, offset), b"").await;
        assert_refused(answer, Code::OutOfRange, "500 bytes");
    }
    coordinator.upload(coordinator.header(&blob, 500), &blob[500..]).await.unwrap();
}

#[tokio::test]
async fn what_is_no_digest_never_becomes_a_path() {
    let coordinator = Coordinator::start().await;
    let outside = tempfile::tempdir().unwrap();
    let good = sha256(b"x");
    let digests = [
        String::new(),
        "../..".to_owned(),
        format!("{}/x", outside.path().display()),
        "../".repeat(21) + "x",
        good.to_uppercase(),
        good[1..].to_owned(),
        good.clone() + "0",
        format!("{}\0", &good[1..]),
        format!("{}/", &good[1..]),
        format!("{}g", &good[1..]),
        format!("{}é", &good[2..]),
        " ".to_owned() + &good[1..],
    ];
    for sha256 in digests {
        let header = UploadHeader { sha256: sha256.clone(), ..coordinator.header(b"x", 0) };
        assert_refused(coordinator.upload(header, b"x").await, Code::InvalidArgument, "sha256");
        let stat = coordinator.client.clone().stat(StatRequest { sha256: sha256.clone() }).await;
        assert_refused(stat, Code::InvalidArgument, "sha256");
        let download = coordinator.client.clone().download(DownloadRequest { sha256, offset: 0 }).await;
        assert_refused(download.map(|_| ()), Code::InvalidArgument, "sha256");
    }
    assert!(coordinator.wholes().is_empty());
    assert!(files(outside.path()).is_empty());
    assert!(!coordinator.root().join("../x").exists());
}

#[tokio::test]
async fn an_attempt_that_lost_its_run_may_not_upload() {
    let coordinator = Coordinator::start().await;
    let blob = blob(1000);
    coordinator.store.attempt_release(coordinator.attempt).await.unwrap();
    let fenced = coordinator.upload(coordinator.header(&blob, 0), &blob).await;
    assert_refused(fenced, Code::FailedPrecondition, "does not hold the run");
    let mut stranger = coordinator.header(&blob, 0);
    stranger.attempt = Some(Attempt { run: 999, number: 1, token: 0 });
    assert_refused(coordinator.upload(stranger, &blob).await, Code::FailedPrecondition, "999");
    assert!(coordinator.wholes().is_empty());
}

#[tokio::test]
async fn headers_that_make_no_sense_are_named() {
    let coordinator = Coordinator::start().await;
    let header = || coordinator.header(b"x", 0);
    for (header, says) in [
        (UploadHeader { size: (4 << 30) + 1, ..header() }, "header.size"),
        (UploadHeader { size: u64::MAX, ..header() }, "header.size"),
        (UploadHeader { offset: 2, ..header() }, "header.offset"),
    ] {
        assert_refused(coordinator.upload(header, b"x").await, Code::InvalidArgument, says);
    }
    let upload = async |messages: Vec<UploadRequest>| {
        coordinator.client.clone().upload(tokio_stream::iter(messages)).await
    };
    assert_refused(upload(Vec::new()).await, Code::InvalidArgument, "header");
    let data = UploadRequest { header: None, data: b"x".to_vec() };
    assert_refused(upload(vec![data]).await, Code::InvalidArgument, "header");
    let again = UploadRequest { header: Some(header()), data: Vec::new() };
    assert_refused(upload(vec![again.clone(), again]).await, Code::InvalidArgument, "first message only");
}

#[tokio::test]
async fn a_chunk_larger_than_a_mebibyte_is_refused() {
    let coordinator = Coordinator::start().await;
    let blob = blob(2 << 20);
    let upload = async |bytes: usize| {
        let message =
            UploadRequest { header: Some(coordinator.header(&blob, 0)), data: blob[..bytes].to_vec() };
        coordinator.client.clone().upload(tokio_stream::iter([message])).await
    };
    assert_refused(upload((1 << 20) + 1).await, Code::InvalidArgument, "data");
    assert_refused(upload(2 << 20).await, Code::OutOfRange, "too large");
}

#[tokio::test]
async fn every_refusal_is_signed_as_the_coordinators() {
    let coordinator = Coordinator::start().await;
    let missing = DownloadRequest { sha256: sha256(b"missing"), offset: 0 };
    let missing = coordinator.client.clone().download(missing).await.unwrap_err();
    let senseless = coordinator.client.clone().stat(StatRequest::default()).await.unwrap_err();
    let unknown = coordinator.workers().await.renew(RenewRequest::default()).await.err();
    for refusal in [Some(missing), Some(senseless), unknown].into_iter().flatten() {
        assert!(refusal.metadata().contains_key(acai_proto::SIGNATURE), "{refusal}");
    }
}

#[tokio::test]
async fn what_a_submitter_uploads_counts_also_where_an_attempt_is_named() {
    let coordinator = Coordinator::start().await;
    let token = Token::new(Scope::Submit);
    let (id, digest) = (token.id().to_owned(), token.digest());
    let new =
        NewToken { id: id.clone(), name: "lab".to_owned(), scope: Scope::Submit, digest, valid_ms: None };
    coordinator.store.token_add(new).await.unwrap();
    let allowance = Allowance { bytes: Some(1000), ..Allowance::UNLIMITED };
    let submitter = Submitter { token: id, name: "lab".to_owned(), allowance };
    let transfers = Transfers::new(coordinator.store.clone(), coordinator.blobs.clone(), Metrics::default());
    let begin = async |content: &[u8], size| {
        let announced = Announced {
            attempt: Some(coordinator.attempt),
            submitter: Some(submitter.clone()),
            digest: sha256(content).parse().unwrap(),
            size,
            offset: 0,
            is_artifact: true,
        };
        transfers.begin(announced).await.map(|upload| upload.is_some())
    };
    assert!(begin(b"first", 900).await.unwrap());
    let refused = begin(b"second", 200).await.unwrap_err();
    assert!(matches!(refused, UseCaseError::Store(StoreError::OverLimit(_))), "{refused}");
}
