//! What happens when the disk is full. A limit on the pages of the file stands for the full disk.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sqlx::Executor;

use super::SqliteStore;
use crate::clock::Clock;
use crate::store::{NewSweep, Store, StoreError};

fn sweep(number: usize) -> NewSweep {
    NewSweep { source: "x".repeat(20_000), ..NewSweep::new(&format!("s{number}"), Vec::new()) }
}

async fn limit_pages(store: &SqliteStore, pragma: &'static str) {
    let limited = store.writer.write(move |tx, _now_ms| {
        Box::pin(async move {
            tx.execute(pragma).await?;
            Ok(())
        })
    });
    limited.await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_keeps_what_it_has_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
    limit_pages(&store, "pragma max_page_count = 100").await;
    let mut kept = 0;
    let refused = loop {
        match store.sweep_submit(sweep(kept)).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Full), "{refused:?}");
    assert!(kept > 0);
    // Writes that share one transaction are refused too.
    let (one, other, read) = tokio::join!(
        store.sweep_submit(sweep(kept)),
        store.sweep_submit(sweep(kept + 1)),
        store.sweep_list()
    );
    for refused in [one, other] {
        assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    }
    assert_eq!(read.unwrap().len(), kept);

    limit_pages(&store, "pragma max_page_count = 1000000").await;
    store.sweep_submit(sweep(kept)).await.unwrap();
    assert_eq!(store.sweep_list().await.unwrap().len(), kept + 1);
}
