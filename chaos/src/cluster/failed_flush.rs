//! A coordinator whose disk has I/O errors acknowledges nothing; one whose disk does not flush ends as well.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use acai_proto::v1::sweep_service_client::SweepServiceClient;
use acai_proto::v1::{ListSweepsRequest, SubmitSweepRequest};
use tokio::process::Child;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;

use super::failing_disk::FailingDisk;
use super::free_address;
use super::preloaded::compile;
use crate::programs::Programs;
use crate::schedule::Ailment;
use crate::sweep;

const PATIENCE: Duration = Duration::from_secs(60);

/// A coordinator on the database and the disk in a folder.
struct Coordinator {
    process: Child,
    client: SweepServiceClient<Channel>,
}

impl Coordinator {
    async fn start(folder: &Path, library: &Path, disk: &FailingDisk) -> Coordinator {
        let database = format!("sqlite:{}", folder.join("disk/acai.db").display());
        let address = free_address().unwrap().to_string();
        let mut command =
            Programs::beside_this_one().unwrap().acai(&["coordinator", "--db", &database, "--auth", "none"]);
        command.args(["--listen", &address]).env("LD_PRELOAD", library).envs(disk.environment());
        let process = command.spawn().unwrap();
        let connecting = async {
            loop {
                match SweepServiceClient::connect(format!("http://{address}")).await {
                    Ok(client) => return client,
                    Err(_) => sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let client = timeout(PATIENCE, connecting).await.expect("the coordinator listens");
        Coordinator { process, client }
    }

    async fn submit(&mut self, number: u64) -> Result<(), tonic::Status> {
        let request = SubmitSweepRequest { source: sweep::file(number), ..SubmitSweepRequest::default() };
        self.client.submit_sweep(request).await.map(drop)
    }

    async fn sweeps(&mut self) -> Vec<String> {
        let sweeps = self.client.list_sweeps(ListSweepsRequest {}).await.unwrap().into_inner().sweeps;
        sweeps.into_iter().map(|sweep| sweep.name).collect()
    }
}

/// A folder with a disk that can be made to fail, where there is a C compiler.
#[allow(clippy::print_stderr, reason = "what is not tested is said")]
fn equipment() -> Option<(tempfile::TempDir, PathBuf, FailingDisk)> {
    if Command::new("cc").arg("--version").output().is_err() {
        eprintln!("NOT TESTED: no disk can be made to fail here, there is no C compiler");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::create_dir(root.join("disk")).unwrap();
    let disk = FailingDisk::of(root.join("disk")).unwrap();
    Some((folder, compile(&root).unwrap(), disk))
}

#[tokio::test]
async fn a_coordinator_whose_flush_fails_acknowledges_nothing_ends_with_an_error_and_keeps_what_it_acknowledged()
 {
    let Some((folder, library, disk)) = equipment() else { return };
    let root = folder.path().canonicalize().unwrap();
    let mut first = Coordinator::start(&root, &library, &disk).await;
    first.submit(0).await.unwrap();

    disk.set(Some(Ailment::Unsynced)).unwrap();
    let refused = first.submit(1).await;
    assert!(refused.is_err(), "acknowledged, and nobody knows whether that is on the disk");
    let ended = timeout(PATIENCE, first.process.wait()).await;
    assert!(!ended.expect("the coordinator goes on after that").unwrap().success());

    disk.set(None).unwrap();
    let mut second = Coordinator::start(&root, &library, &disk).await;
    assert!(second.sweeps().await.contains(&sweep::name(0)));
    second.submit(1).await.unwrap();
    assert_eq!(second.sweeps().await.len(), 2);
}

#[tokio::test]
async fn a_coordinator_whose_writes_fail_acknowledges_nothing_and_goes_on_once_its_disk_is_whole() {
    let Some((folder, library, disk)) = equipment() else { return };
    let root = folder.path().canonicalize().unwrap();
    let mut coordinator = Coordinator::start(&root, &library, &disk).await;
    coordinator.submit(0).await.unwrap();
    disk.set(Some(Ailment::Broken)).unwrap();
    assert!(coordinator.submit(1).await.is_err(), "acknowledged, and not written");
    assert_eq!(coordinator.sweeps().await, [sweep::name(0)]);
    disk.set(None).unwrap();
    coordinator.submit(1).await.unwrap();
    assert_eq!(coordinator.sweeps().await.len(), 2);
    coordinator.process.kill().await.unwrap();
    let mut next = Coordinator::start(&root, &library, &disk).await;
    assert_eq!(next.sweeps().await.len(), 2);
}
