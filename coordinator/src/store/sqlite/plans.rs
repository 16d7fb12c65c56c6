//! How SQLite finds what is asked often, and what a worker can train.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use sqlx::{AssertSqlSafe, Row as _};

use super::sql::ASKED_OFTEN;
use super::{SqliteStore, queue};
use crate::clock::Clock;

#[tokio::test]
async fn a_claim_looks_at_no_queued_run_that_its_worker_cannot_train() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
    let mut reader = store.lend_reader().await.unwrap();
    for statement in [queue::TRAINABLE, queue::FIRST_GROUPS] {
        let explained = sqlx::query(AssertSqlSafe(format!("explain query plan {statement}")));
        let rows = explained.fetch_all(reader.connection()).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let finds = |line: &&String| line.contains("runs_waiting (sweep_id=? AND state=? AND in_plan=?");
        assert!(plan.iter().any(|line| finds(&line)), "{plan:#?}");
        // Runs are found by that index or by their id, and never all of them, or all of a queue.
        let others: Vec<&String> = plan
            .iter()
            .filter(|line| line.contains(" r ") || line.contains(" runs "))
            .filter(|line| !finds(line) && !line.contains("INTEGER PRIMARY KEY"))
            .collect();
        assert!(others.is_empty(), "{plan:#?}");
    }
    let by_dataset = format!("explain query plan {}", queue::FIRST_GROUPS);
    let rows = sqlx::query(AssertSqlSafe(by_dataset)).fetch_all(reader.connection()).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    assert!(plan.iter().any(|line| line.contains("in_plan=? AND dataset=?)")), "{plan:#?}");
}

/// What holds only the few rows that its statement is about.
const SMALL_INDEXES: [&str; 3] = ["attempts_with_mismatches", "runs_leases", "runs_in_trouble"];

#[tokio::test]
async fn nothing_that_is_asked_often_reads_all_runs_points_attempts_or_events() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("acai.db"), Clock::start()).await.unwrap();
    let mut reader = store.lend_reader().await.unwrap();
    for (purpose, statement) in ASKED_OFTEN {
        let explained = sqlx::query(AssertSqlSafe(format!("explain query plan {statement}")));
        let rows = explained.fetch_all(reader.connection()).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        // The tables by the names that the statements give them.
        let large = ["r", "runs", "o", "m", "metrics", "summaries", "a", "attempts", "e", "events"];
        let reads_all = |line: &&String| {
            let read = ["SCAN ", "SEARCH "].iter().find_map(|verb| line.strip_prefix(verb));
            let is_all = line.starts_with("SCAN ")
                || line.ends_with("(sweep_id=?)") && *purpose != "a table of results";
            let is_large =
                read.and_then(|rest| rest.split(' ').next()).is_some_and(|name| large.contains(&name));
            is_all && is_large && !SMALL_INDEXES.iter().any(|index| line.contains(index))
        };
        assert_eq!(plan.iter().find(reads_all), None, "{purpose}: {plan:#?}");
    }
}
