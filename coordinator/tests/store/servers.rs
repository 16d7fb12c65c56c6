//! What is special about a store on a server that several coordinators share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::{Duty, NewSweep, OpenError, Registration, RunId, Store, StoreError};
use acai_testing::postgres::Postgres;
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::timeout;

use crate::{LEASE, Tested, claim, database, one_running, point, register, sweep};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn coordinators_that_claim_at_the_same_time_grant_each_run_once_and_keep_limits() {
    let Some(url) = database() else { return };
    let coordinators =
        [PostgresStore::open(&url, None).await.unwrap(), PostgresStore::open(&url, None).await.unwrap()];
    let [first, second] = coordinators.map(|store| Arc::new(store) as Arc<dyn Store>);
    let lambdas: Vec<f64> = (1..=30).map(|number| f64::from(number) / 100.0).collect();
    first.sweep_submit(NewSweep { max_concurrent: Some(25), ..sweep("s", &lambdas) }).await.unwrap();
    first.sweep_submit(sweep("t", &lambdas)).await.unwrap();
    let on_first = Tested::shared(Arc::clone(&first));
    let mut claims = tokio::task::JoinSet::new();
    for number in 0..16 {
        let worker = format!("w{number}");
        register(&on_first, &worker).await;
        let store = Arc::clone(if number % 2 == 0 { &first } else { &second });
        claims.spawn(async move {
            let mut granted = Vec::new();
            for round in 0..5 {
                let id = format!("{worker}-{round}");
                granted.extend(store.run_claim(claim(&worker, &id, 1), LEASE).await.unwrap());
            }
            granted
        });
    }
    let grants = claims.join_all().await.concat();
    let mut times: HashMap<RunId, u32> = HashMap::new();
    for grant in &grants {
        assert_eq!(grant.attempt.number, 1);
        *times.entry(grant.attempt.run).or_default() += 1;
    }
    assert!(times.values().all(|&times| times == 1), "a run was granted twice");
    let of_s = grants.iter().filter(|grant| grant.sweep == "s").count();
    assert_eq!((of_s, grants.len()), (25, 80), "max_concurrent holds, and nothing is starved");
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_that_wait_for_each_other_count_what_the_other_one_was_granted_of_a_limited_sweep() {
    let Some(url) = database() else { return };
    let coordinators =
        [PostgresStore::open(&url, None).await.unwrap(), PostgresStore::open(&url, None).await.unwrap()];
    let coordinators = coordinators.map(|store| Arc::new(store) as Arc<dyn Store>);
    let limited = NewSweep { max_concurrent: Some(1), ..sweep("s", &[0.5]) };
    coordinators[0].sweep_submit(limited).await.unwrap();
    let on_first = Tested::shared(Arc::clone(&coordinators[0]));
    for worker in ["w1", "w2"] {
        register(&on_first, worker).await;
    }
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut blocker = other.begin().await.unwrap();
    blocker.execute("select id from sweeps for update").await.unwrap();
    let mut watcher = PgConnection::connect(&url).await.unwrap();
    let mut claims = Vec::new();
    for (store, worker) in coordinators.into_iter().zip(["w1", "w2"]) {
        claims.push(tokio::spawn(async move {
            store.run_claim(claim(worker, "c", 1), LEASE).await.unwrap().len()
        }));
        timeout(PATIENCE, waiting(&mut watcher, claims.len())).await.unwrap();
    }
    blocker.commit().await.unwrap();
    let granted = claims.remove(0).await.unwrap() + claims.remove(0).await.unwrap();
    assert_eq!(granted, 1, "max_concurrent holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_neither_undoes_nor_blocks_its_write_and_leaves_no_open_transaction() {
    let Some(url) = database() else { return };
    let store = PostgresStore::open(&url, None).await.unwrap();
    for round in 0..300 {
        let name = format!("s{round}");
        let submit = store.sweep_submit(sweep(&name, &[0.1]));
        let _ = tokio::time::timeout(Duration::from_micros(round * 10), submit).await;
    }
    store.sweep_submit(sweep("last", &[0.1])).await.unwrap();
    let mut other = PgConnection::connect(&url).await.unwrap();
    let open = "select count(*) from pg_stat_activity
                where datname = current_database() and state like 'idle in transaction%'";
    // What is still under way ends by itself.
    let mut idle = 1i64;
    for _ in 0..100 {
        idle = sqlx::query_scalar(open).fetch_one(&mut other).await.unwrap();
        if idle == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(idle, 0, "a transaction was abandoned");
    for sweep in store.sweep_list().await.unwrap() {
        assert_eq!(sweep.counts.iter().map(|(_, runs)| runs).sum::<u32>(), 2, "{} is whole", sweep.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_can_train_nothing_of_a_queue_does_not_wait_for_its_sweep() {
    let Some(url) = database() else { return };
    let store = Tested::on(PostgresStore::open(&url, None).await.unwrap());
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    let other_dataset = Registration {
        id: "w".to_owned(),
        name: "w of host".to_owned(),
        version: "0".to_owned(),
        hardware: "{}".to_owned(),
        slots: 2,
        datasets: vec!["cifar10".to_owned()],
    };
    store.worker_register(other_dataset).await.unwrap();
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut blocker = other.begin().await.unwrap();
    blocker.execute("select id from sweeps for update").await.unwrap();
    let granted = timeout(Duration::from_secs(4), store.run_claim(claim("w", "c", 1), LEASE)).await;
    let granted = granted.expect("it waits for a sweep that it takes nothing of");
    assert!(granted.unwrap().is_empty());
    blocker.rollback().await.unwrap();
}

/// Until so many sessions wait for a lock in this connection's database.
async fn waiting(watcher: &mut PgConnection, sessions: usize) {
    let count = "select count(*) from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(count).fetch_one(&mut *watcher).await.unwrap() < sessions as i64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_wait_for_each_other_see_what_the_other_one_stored() {
    let Some(url) = database() else { return };
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url, None).await.unwrap());
    let attempt = one_running(&Tested::shared(Arc::clone(&store))).await;
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut blocker = other.begin().await.unwrap();
    blocker.execute("select id from runs for update").await.unwrap();
    let mut watcher = PgConnection::connect(&url).await.unwrap();
    let mut reports = Vec::new();
    for points in [5, 2] {
        let store = Arc::clone(&store);
        let batch = (1..=points).map(|step| point("a", step, 0.5)).collect();
        reports.push(tokio::spawn(
            async move { store.metrics_append(attempt, 1, batch, points).await.unwrap() },
        ));
        timeout(PATIENCE, waiting(&mut watcher, reports.len())).await.unwrap();
    }
    blocker.commit().await.unwrap();
    let acked = [reports.remove(0).await.unwrap(), reports.remove(0).await.unwrap()];
    assert_eq!(acked, [5, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_drained_while_it_claims_is_known_to_hold_what_it_was_given() {
    let Some(url) = database() else { return };
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url, None).await.unwrap());
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    register(&Tested::shared(Arc::clone(&store)), "w").await;
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut blocker = other.begin().await.unwrap();
    blocker.execute("select id from sweeps for update").await.unwrap();
    let mut watcher = PgConnection::connect(&url).await.unwrap();
    // It has looked whether it may, and waits for the sweep.
    let claiming = Arc::clone(&store);
    let claims =
        tokio::spawn(async move { claiming.run_claim(claim("w", "c", 1), LEASE).await.unwrap().len() });
    timeout(PATIENCE, waiting(&mut watcher, 1)).await.unwrap();
    let drains =
        tokio::spawn(async move { store.worker_set_duty("w of host", Duty::Drained).await.unwrap() });
    let _ = timeout(Duration::from_millis(300), waiting(&mut watcher, 2)).await;
    blocker.commit().await.unwrap();
    let (granted, running) = (claims.await.unwrap(), drains.await.unwrap());
    assert_eq!((granted, running), (1, Some(1)));
}

#[tokio::test]
async fn values_that_the_database_does_not_take_are_refused_for_good() {
    let Some(url) = database() else { return };
    let store = Tested::on(PostgresStore::open(&url, None).await.unwrap());
    let attempt = one_running(&store).await;
    let mut raw = PgConnection::connect(&url).await.unwrap();
    raw.execute("alter table metrics add check (value < 1e9)").await.unwrap();
    for point in [point("a", 1, 1e9), point("a\0", 1, 1.0)] {
        let refused = store.metrics_append(attempt, 1, vec![point], 1).await;
        assert!(matches!(refused, Err(StoreError::Unstorable(_))), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_acknowledged_is_there_after_the_server_is_killed_and_the_store_recovers_by_itself() {
    let Some(mut server) = Postgres::start() else { return };
    let store = PostgresStore::open(&server.create_database().unwrap(), None).await.unwrap();
    let store = Tested::on(store);
    let attempt = one_running(&store).await;
    for step in 1..=50 {
        let acked = store.metrics_append(attempt, step, vec![point("a", step, 0.5)], step).await.unwrap();
        assert_eq!(acked, step);
    }
    server.kill().unwrap();
    assert!(store.metrics_append(attempt, 51, vec![point("a", 51, 0.5)], 51).await.is_err());
    server.start_again().unwrap();
    let mut acked = Err(None);
    for _ in 0..100 {
        acked = store.metrics_append(attempt, 51, vec![point("a", 51, 0.5)], 51).await.map_err(Some);
        if acked.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(acked.unwrap(), 51, "all 50 that were acknowledged are there");
}

#[tokio::test]
async fn a_server_whose_disk_is_full_refuses_writes_until_there_is_room() {
    let Some(url) = database() else { return };
    let store = Tested::on(PostgresStore::open(&url, None).await.unwrap());
    let attempt = one_running(&store).await;
    let mut raw = PgConnection::connect(&url).await.unwrap();
    // The server's own error, raised where it would extend the table's file.
    raw.execute(
        "create function fill() returns trigger language plpgsql as
             'begin raise exception ''could not extend file'' using errcode = ''disk_full''; end';
         create trigger fill before insert on metrics execute function fill()",
    )
    .await
    .unwrap();
    let refused = store.metrics_append(attempt, 1, vec![point("a", 1, 0.5)], 1).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    raw.execute("drop trigger fill on metrics").await.unwrap();
    assert_eq!(store.metrics_append(attempt, 1, vec![point("a", 1, 0.5)], 1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_server_that_may_lose_what_it_acknowledged_is_refused() {
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let Some(server) = Postgres::start_with(&[&format!("{setting} = off")]) else { return };
        let refused = PostgresStore::open(&server.create_database().unwrap(), None).await;
        assert!(
            matches!(refused, Err(OpenError::NotDurable { setting: found, .. }) if found == setting),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let Some(url) = database() else { return };
    drop(PostgresStore::open(&url, None).await.unwrap());
    let mut raw = PgConnection::connect(&url).await.unwrap();
    let migrate = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                   values (9999, 'from the future', true, '\\x00', 0)";
    raw.execute(migrate).await.unwrap();
    let refused = PostgresStore::open(&url, None).await;
    assert!(matches!(refused, Err(OpenError::Newer { migration: 9999, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let error =
        PostgresStore::open("postgres://me:secret@127.0.0.1:1/db", None).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1/db") && !error.contains("secret"), "{error}");
}
