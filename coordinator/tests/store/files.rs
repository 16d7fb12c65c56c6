//! What is special about a store that is a file.

use std::time::Duration;

use acai_coordinator::clock::Clock;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{OpenError, Store};
use sqlx::{Connection, Executor, SqliteConnection};

use crate::{Tested, one_running, point, sweep};

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acai.db");
    let store = SqliteStore::open(&path, Clock::start()).await.unwrap();
    let store = Tested::on(store);
    let attempt = one_running(&store).await;
    store.metrics_append(attempt, 1, vec![point("a", 1, 0.1)], 1).await.unwrap();
    drop(store);

    let store = SqliteStore::open(&path, Clock::start()).await.unwrap();
    assert_eq!(store.metrics_append(attempt, 2, vec![point("a", 2, 0.2)], 2).await.unwrap(), 2);
    assert_eq!(store.result_list("s").await.unwrap()[0].summaries["a"].last, 0.2);
}

#[tokio::test]
async fn a_second_coordinator_is_told_that_the_file_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acai.db");
    let _store = SqliteStore::open(&path, Clock::start()).await.unwrap();
    let refused = SqliteStore::open(&path, Clock::start()).await;
    assert!(matches!(refused, Err(OpenError::InUse(_))), "{refused:?}");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acai.db");
    drop(SqliteStore::open(&path, Clock::start()).await.unwrap());
    let mut raw = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let migrate = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                   values (9999, 'from the future', 1, x'00', 0)";
    raw.execute(migrate).await.unwrap();
    raw.close().await.unwrap();
    let refused = SqliteStore::open(&path, Clock::start()).await;
    assert!(matches!(refused, Err(OpenError::Newer { migration: 9999, .. })), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let notes = "these are my notes, longer than any header of a database would have to be ".repeat(20);
    std::fs::write(&path, &notes).unwrap();
    let refused = SqliteStore::open(&path, Clock::start()).await.unwrap_err();
    assert!(refused.to_string().contains("notes.txt"), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), notes);
    for url in ["postgres://host/db", "acai.db", "sqlite:"] {
        assert!(matches!(SqliteStore::path_of_url(url), Err(OpenError::Url(_))), "{url}");
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_neither_undoes_nor_blocks_its_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
    for round in 0..200 {
        let name = format!("s{round}");
        let submit = store.sweep_submit(sweep(&name, &[0.1]));
        // Dropped wherever it is: before, while or after the writer has it.
        let _ = tokio::time::timeout(Duration::from_micros(round * 10), submit).await;
    }
    store.sweep_submit(sweep("last", &[0.1])).await.unwrap();
    for sweep in store.sweep_list().await.unwrap() {
        assert_eq!(sweep.counts.iter().map(|(_, runs)| runs).sum::<u32>(), 2, "{} is whole", sweep.name);
    }
}
