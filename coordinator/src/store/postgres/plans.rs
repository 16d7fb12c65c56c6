//! How Postgres finds what is asked often, and what a worker can train.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_testing::postgres::Postgres;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row as _};

use super::sql::ASKED_OFTEN;
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

/// Rows for tables that are empty otherwise.
const HISTORY: &str = "
    insert into workers (id, registered_ms, name, version, hardware, slots, datasets, last_seen_ms)
        values ('w', 0, 'w', '', '{}', 1, '[]', 0);
    insert into attempts (run_id, number, worker_id, claim_id, claim_group, started_ms)
        select id, 1, 'w', id, 0, 0 from runs;
    insert into events (sweep_id, number, at_ms, run_id, state, attempt) select sweep_id, number + 1, 0, id, state, 0 from runs;
    insert into metrics select id, 'a', 1, 1, 1 from runs;
    insert into summaries select id, 'a', 1, 1, 1, 1, 1, 1 from runs;
    insert into results_of_runs select id, '{}' from runs;
    update runs set worker_id = 'w', state = 'completed';
    analyze";

#[tokio::test]
async fn nothing_that_is_asked_often_reads_all_runs_points_attempts_or_events() {
    let Some(server) = Postgres::start() else { return };
    let url = server.create_database().unwrap();
    let store = PostgresStore::open(&url, None).await.unwrap();
    let values = [("model", Scalar::from("acai")), ("dataset", Scalar::from("lines32"))];
    let configuration = Configuration::new(values).unwrap();
    for sweep in 0..10 {
        let runs = (0..RUNS / 5).map(|seed| NewRun::new(&configuration, seed)).collect();
        store.sweep_submit(NewSweep::new(&format!("s{sweep}"), runs)).await.unwrap();
    }
    let mut raw = PgConnection::connect(&url).await.unwrap();
    raw.execute(HISTORY).await.unwrap();
    for (purpose, statement) in ASKED_OFTEN {
        let explained = AssertSqlSafe(format!("explain (generic_plan) {statement}"));
        // Not prepared: the statement has parameters that nothing is bound to.
        let rows = sqlx::raw_sql(explained).fetch_all(&mut raw).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let reads_all = |line: &&String| {
            let large = ["runs", "metrics", "summaries", "attempts", "events"];
            large.iter().any(|table| line.contains(&format!("Seq Scan on {table} ")))
        };
        assert_eq!(plan.iter().find(reads_all), None, "{purpose}: {plan:#?}");
    }
}
