//! A database that takes no writes for longer than a lease: workers could not renew, and none of them is to blame.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use acai_coordinator::blobs::directory::Directory;
use acai_coordinator::clock::Clock;
use acai_coordinator::store::postgres::{Limits, PostgresStore};
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{AttemptRef, Store};
use acai_coordinator::{Door, LeaseTerms, serve};
use acai_sweep::run::RunState;
use acai_testing::postgres::Postgres;
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::black_hole::Network;
use crate::{Tested, database, one_running};

const TERMS: LeaseTerms = LeaseTerms { lease_ms: 1500, renew_ms: 500 };
const TERM: Duration = Duration::from_millis(1500);
const PATIENCE: Duration = Duration::from_secs(60);

/// A worker that renews until the outage begins, and half a term after it again, keeps its run; one that falls silent
/// then loses it.
async fn a_worker_keeps_its_run_through(store: Arc<dyn Store>, outage: impl Future<Output = ()>) {
    let (folder, listener) = (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let blobs = Arc::new(Directory::open(folder.path()).unwrap());
    let held = one_running(&Tested::shared(Arc::clone(&store))).await;
    let server = tokio::spawn(serve(
        listener,
        Arc::clone(&store),
        blobs,
        TERMS,
        Door::open(),
        std::future::pending::<()>(),
    ));
    renewed(&*store, held).await;
    outage.await;

    while store.probe().await.is_err() {
        sleep(Duration::from_millis(20)).await;
    }
    sleep(TERM / 2).await;
    renewed(&*store, held).await;
    let lost = async {
        while store.run_list("s", &[RunState::Running], 0, u32::MAX).await.unwrap().len() == 1 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, lost).await.expect("a lease that nobody renews ends");
    server.abort();
}

async fn renewed(store: &dyn Store, held: AttemptRef) {
    let renewal = store.lease_renew("w", vec![held], TERMS.lease_ms.into()).await.unwrap();
    assert_eq!(renewal.fenced, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_for_longer_than_a_lease_takes_no_attempt() {
    let Some(mut server) = Postgres::start() else { return };
    let store = PostgresStore::open(&server.create_database().unwrap(), None).await.unwrap();
    let outage = async {
        server.kill().unwrap();
        sleep(2 * TERM).await;
        server.start_again().unwrap();
    };
    a_worker_keeps_its_run_through(Arc::new(store), outage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_silent_for_longer_than_a_lease_takes_no_attempt() {
    let Some(url) = database() else { return };
    let (network, by_network) = Network::before(&url).await;
    let limits = Limits { connect: TERM / 3, short: 2 * TERM, transaction: 2 * TERM };
    let store = PostgresStore::open_with(&by_network, None, limits).await.unwrap();
    let outage = async {
        network.swallow();
        sleep(2 * TERM).await;
        network.heal();
    };
    a_worker_keeps_its_run_through(Arc::new(store), outage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_for_longer_than_a_lease_takes_no_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acai.db");
    let store = SqliteStore::open(&path, Clock::start()).await.unwrap();
    let outage = async {
        let mut other = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
        other.execute("begin immediate").await.unwrap();
        sleep(2 * TERM).await;
        other.execute("rollback").await.unwrap();
    };
    a_worker_keeps_its_run_through(Arc::new(store), outage).await;
}
