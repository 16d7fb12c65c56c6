//! How Postgres finds what a worker can train.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_testing::postgres::Postgres;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{PostgresStore, queue};
use crate::store::{NewRun, NewSweep, Store};

/// A server prefers to read all of a small table.
const RUNS: u64 = 5000;

#[tokio::test]
async fn a_claim_looks_at_no_queued_run_that_its_worker_cannot_train() {
    let Some(server) = Postgres::start() else { return };
    let url = server.create_database().unwrap();
    let store = PostgresStore::open(&url, None).await.unwrap();
    let values = [("model", Scalar::from("acai")), ("dataset", Scalar::from("lines32"))];
    let configuration = Configuration::new(values).unwrap();
    let runs = (0..RUNS).map(|seed| NewRun::new(&configuration, seed)).collect();
    store.sweep_submit(NewSweep::new("s", runs)).await.unwrap();
    let mut raw = PgConnection::connect(&url).await.unwrap();
    raw.execute("analyze").await.unwrap();

    let trainable = format!("explain {}", queue::TRAINABLE);
    let plan: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(trainable)).bind("[]").fetch_all(&mut raw).await.unwrap();
    assert!(is_by_dataset(&plan), "{plan:#?}");

    let first_groups = format!("explain {}", queue::FIRST_GROUPS);
    let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(first_groups))
        .bind(1i64)
        .bind("lines32")
        .bind(1i64)
        .bind(1i64)
        .bind(1i64)
        .bind("w")
        .bind(0i64)
        .bind(0i64)
        .fetch_all(&mut raw)
        .await
        .unwrap();
    assert!(is_by_dataset(&plan), "{plan:#?}");
}

/// Whether queued runs are found by the index for that, and neither all runs nor all of a queue are read.
fn is_by_dataset(plan: &[String]) -> bool {
    let has = |part: &str| plan.iter().any(|line| line.contains(part));
    has("runs_waiting") && !has("Seq Scan on runs") && !has("runs_queue")
}
