//! A disk that fills up: a small one of its own, in a mount namespace of its own.

use std::path::Path;
use std::process::Command;

use acai_coordinator::blobs;
use tonic::Code;

use crate::server::{Coordinator, blob, sha256};

const DISK: &str = "ACAI_TEST_SMALL_DISK";

#[tokio::test]
async fn an_upload_goes_on_when_the_disk_has_room_again() {
    if let Some(disk) = std::env::var_os(DISK) {
        return on_a_small_disk(Path::new(&disk)).await;
    }
    let disk = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=2m none \"$ACAI_TEST_SMALL_DISK\"";
    let here = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]).env(DISK, disk.path());
        command
    };
    if !here(mount).output().is_ok_and(|mounted| mounted.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "a mount namespace of one's own is needed");
        eprintln!("SKIPPED: no disk can be filled up without a mount namespace of one's own");
        return;
    }
    let this = "disk_full::an_upload_goes_on_when_the_disk_has_room_again";
    let script = format!("{mount} && exec \"$0\" --exact {this} --nocapture");
    let ended = here(&script).arg(std::env::current_exe().unwrap()).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()));
}

async fn on_a_small_disk(disk: &Path) {
    let blobs = blobs::open(disk.to_str().unwrap(), disk).await.unwrap();
    let coordinator = Coordinator::start_on(tempfile::tempdir().unwrap(), blobs).await;
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let blob = blob(1_500_000);
    let full = coordinator.upload(coordinator.header(&blob, 0), &blob).await.unwrap_err();
    assert_eq!(full.code(), Code::ResourceExhausted, "{full}");
    assert!(full.message().starts_with("the coordinator's disk has no room left"), "{full}");

    let staged = coordinator.stat(&blob).await;
    assert!(!staged.complete && staged.bytes > 900_000, "{staged:?}");
    let staged = usize::try_from(staged.bytes).unwrap();
    std::fs::remove_file(ballast).unwrap();
    coordinator.upload(coordinator.header(&blob, staged), &blob[staged..]).await.unwrap();
    assert_eq!(sha256(&coordinator.download(&blob, 0).await.unwrap()), sha256(&blob));
}
