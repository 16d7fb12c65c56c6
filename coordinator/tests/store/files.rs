//! What is special about a store that is a file.

use std::time::Duration;

use acai_coordinator::clock::Clock;
use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{OpenError, Store, StoreError};
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
    let details = store.run_details("s", 0).await.unwrap().unwrap();
    assert_eq!(details.summaries["a"].last, 0.2);
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
async fn a_file_is_in_use_whatever_it_is_called_and_has_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acai.db");
    let store = SqliteStore::open(&path, Clock::start()).await.unwrap();
    let other = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &other).unwrap();
    for name in [&other, &folder.path().join("./acai.db")] {
        let refused = SqliteStore::open(name, Clock::start()).await;
        assert!(matches!(refused, Err(OpenError::InUse(_))), "{refused:?}");
    }
    let hard = folder.path().join("hard.db");
    std::fs::hard_link(&path, &hard).unwrap();
    let refused = SqliteStore::open(&hard, Clock::start()).await;
    assert!(matches!(refused, Err(OpenError::SeveralNames { names: 2, .. })), "{refused:?}");
    store.close().await;
    drop(store);
    std::fs::remove_file(&hard).unwrap();
    SqliteStore::open(&other, Clock::start()).await.unwrap();
}

#[tokio::test]
async fn values_that_the_database_does_not_take_are_refused_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
    let store = Tested::on(store);
    let attempt = one_running(&store).await;
    let refused = store.metrics_append(attempt, 1, vec![point("a", 1, f64::NAN)], 1).await;
    assert!(matches!(refused, Err(StoreError::Unstorable(_))), "{refused:?}");
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
async fn a_run_with_a_parameter_of_a_newer_version_is_named_and_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acai.db");
    let store = Tested::on(SqliteStore::open(&path, Clock::start()).await.unwrap());
    store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    let mut raw = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    raw.execute("update runs set config = json_set(config, '$.weight_decay', 0.5) where idx = 0")
        .await
        .unwrap();
    for refused in [store.run_list("s", &[]).await.map(|_| ()), store.result_list("s").await.map(|_| ())] {
        assert!(matches!(refused, Err(StoreError::OtherVersion(_))), "{refused:?}");
        let words = refused.unwrap_err().to_string();
        assert!(words.contains("`weight_decay`") && words.contains("newest version"), "{words}");
    }
    let untouched = "select count(*) from runs where state = 'queued' and attempt = 0
                     and (idx = 1 or json_extract(config, '$.weight_decay') = 0.5)";
    let untouched: i64 = sqlx::query_scalar(untouched).fetch_one(&mut raw).await.unwrap();
    assert_eq!(untouched, 2);
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
        assert!(matches!(SqliteStore::path_of_url(&url.into()), Err(OpenError::Url(_))), "{url}");
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

#[tokio::test]
async fn the_file_alone_is_the_database_once_the_store_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acai.db");
    let store = Tested::on(SqliteStore::open(&path, Clock::start()).await.unwrap());
    let attempt = one_running(&store).await;
    store.metrics_append(attempt, 1, vec![point("a", 1, 0.1)], 1).await.unwrap();
    // What is under way is done, what comes later refused.
    let (last, ()) = tokio::join!(store.sweep_submit(sweep("last", &[0.5])), async {
        tokio::task::yield_now().await;
        store.close().await;
    });
    assert!(store.sweep_submit(sweep("late", &[0.5])).await.is_err());

    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    let log = path.with_extension("db-wal");
    assert!(!log.exists(), "{} bytes are not in the file", log.metadata().unwrap().len());
    let copy = SqliteStore::open(&copy, Clock::start()).await.unwrap();
    let details = copy.run_details("s", 0).await.unwrap().unwrap();
    assert_eq!(details.summaries["a"].last, 0.1);
    assert_eq!(copy.sweep_fetch("last").await.unwrap().is_some(), last.is_ok());
    assert!(copy.sweep_fetch("late").await.unwrap().is_none());
}
