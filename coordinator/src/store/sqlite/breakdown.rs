//! What happens when the task that writes breaks down.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1::ListSweepsRequest;
use acai_proto::v1::sweep_service_client::SweepServiceClient;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::SqliteStore;
use crate::blobs::directory::Directory;
use crate::clock::Clock;
use crate::store::{NewSweep, Store, StoreError};
use crate::{Door, LeaseTerms, serve};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_server_whose_writer_broke_down_ends_with_an_error_instead_of_refusing_every_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acai.db");
    let store = Arc::new(SqliteStore::open(&path, Clock::start()).await.unwrap());
    store.sweep_submit(NewSweep::new("kept", Vec::new())).await.unwrap();
    let blobs = Arc::new(Directory::open(&folder.path().join("blobs")).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (served, terms) = (Arc::clone(&store), LeaseTerms::default());
    let server = tokio::spawn(serve(listener, served, blobs, terms, Door::open(), std::future::pending()));

    // It serves.
    let mut client = SweepServiceClient::connect(url).await.unwrap();
    client.list_sweeps(ListSweepsRequest {}).await.unwrap();

    let writer = store.writer.clone();
    let broken = tokio::spawn(async move {
        writer
            .write::<(), _>(|_tx, _now_ms| Box::pin(async { panic!("a statement that nobody thought of") }))
            .await
    });
    assert!(matches!(broken.await.unwrap(), Err(StoreError::Unavailable(_))));
    let ended = timeout(PATIENCE, server).await.expect("the server goes on without a writer").unwrap();
    assert!(ended.unwrap_err().to_string().contains("broke down"));

    // A coordinator's process would end here. In this process the task of the client's connection holds the store until
    // it notices that the client is gone.
    drop(client);
    let released = async {
        while Arc::strong_count(&store) > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, released).await.expect("the server has ended and still holds its store");
    drop(store);
    let again = SqliteStore::open(&path, Clock::start()).await.unwrap();
    assert_eq!(again.sweep_list().await.unwrap().len(), 1, "what was acknowledged is there");
}
