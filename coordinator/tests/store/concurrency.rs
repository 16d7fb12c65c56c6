//! Everybody at once on sweeps of thousands of runs: nobody waits in a circle, nothing is held for long, and every
//! invariant holds.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use acai_coordinator::LeaseTerms;
use acai_coordinator::store::postgres::PostgresStore;
use acai_coordinator::store::{Claim, Grant, NewRun, NewSweep, RunId, Store, StoreError};
use acai_sweep::configuration::Configuration;
use acai_sweep::control::{Intent, RETRIED};
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;
use acai_sweep::schedule::Offer;
use acai_testing::postgres::Postgres;
use rand::RngExt;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use crate::{LEASE, Tested, claim, contract, register, sweep};

contract!(a_change_of_thousands_of_runs_is_told_run_by_run_and_repeated_changes_nothing);

/// Seeds `from` to `to` of one configuration.
fn seeds(name: &str, from: u64, to: u64) -> NewSweep {
    let values = [("model", Scalar::from("acai")), ("dataset", Scalar::from("lines32"))];
    let configuration = Configuration::new(values).unwrap();
    let run = |seed| NewRun { total_steps: 100, ..NewRun::new(&configuration, seed) };
    NewSweep { max_restarts: 1, max_lost_workers: 3, ..NewSweep::new(name, (from..to).map(run).collect()) }
}

async fn a_change_of_thousands_of_runs_is_told_run_by_run_and_repeated_changes_nothing(store: &Tested) {
    const RUNS: u32 = 5000;
    store.sweep_submit(seeds("s", 0, RUNS.into())).await.unwrap();
    register(store, "w").await;
    let held = store.run_claim(claim("w", "c", 3), LEASE).await.unwrap();
    assert_eq!(held.len(), 3);

    // Every second run, by its number, the held ones among them; then all.
    let some: Vec<u32> = (0..RUNS).step_by(2).collect();
    let changes = store.runs_change("s", some, Intent::Cancel).await.unwrap().unwrap();
    assert_eq!((changes.changed, changes.asked, changes.unchanged), (RUNS / 2 - 2, 2, 0));
    let changes = store.runs_change("s", Vec::new(), Intent::Cancel).await.unwrap().unwrap();
    assert_eq!((changes.changed, changes.asked, changes.unchanged), (RUNS / 2 - 1, 1, RUNS / 2));
    let again = store.runs_change("s", Vec::new(), Intent::Cancel).await.unwrap().unwrap();
    assert_eq!((again.changed, again.asked, again.unchanged), (0, 0, RUNS));

    let events = store.event_list("s", 0.into(), u32::MAX).await.unwrap();
    assert!(events.iter().map(|event| event.number).eq(1..=u64::from(RUNS)), "no gaps");
    let cancelled: Vec<u32> = events[3..].iter().map(|event| event.run_number).collect();
    let evens = (4..RUNS).step_by(2);
    assert_eq!(cancelled, evens.chain((3..RUNS).step_by(2)).collect::<Vec<_>>(), "in the plan's order");
}

/// Two coordinators on a database of their own server, and what was counted there.
struct Shared {
    coordinators: [Arc<dyn Store>; 2],
    url: String,
    _server: Postgres,
}

impl Shared {
    /// `None` where there is no server to test with.
    async fn start() -> Option<Shared> {
        let server = Postgres::start()?;
        let url = server.create_database().unwrap();
        let open = async || Arc::new(PostgresStore::open(&url, None).await.unwrap()) as Arc<dyn Store>;
        Some(Shared { coordinators: [open().await, open().await], url, _server: server })
    }

    /// Circles of sessions that waited for each other, of which the server ended one each.
    async fn deadlocks(self) -> i64 {
        // A session tells of what it counted at the latest when it ends.
        for coordinator in &self.coordinators {
            coordinator.close().await;
        }
        let mut raw = PgConnection::connect(&self.url).await.unwrap();
        let others = "select count(*) from pg_stat_activity
                      where datname = current_database() and pid <> pg_backend_pid()";
        while sqlx::query_scalar::<_, i64>(others).fetch_one(&mut raw).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let count = "select deadlocks from pg_stat_database where datname = current_database()";
        sqlx::query_scalar(count).fetch_one(&mut raw).await.unwrap()
    }
}

/// Panics unless it is what a call may be answered with while others change the same runs.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "an answer is looked at as it comes")]
fn expect<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    // A run's place may be gone: a submission moves it.
    let expected = matches!(answer, Ok(_) | Err(StoreError::Fenced(_) | StoreError::NoSuchRun { .. }));
    assert!(expected, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_changes_ends_expiry_and_claims_at_once_never_wait_in_a_circle() {
    const RUNS: u64 = 2000;
    const LEASE_MS: i64 = 150;
    const WORKERS: u64 = 6;
    const FOR: Duration = Duration::from_secs(6);
    let Some(shared) = Shared::start().await else { return };
    let [first, second] = &shared.coordinators;
    for name in ["s", "t"] {
        first.sweep_submit(seeds(name, 0, RUNS)).await.unwrap();
    }
    let on_first = Tested::shared(Arc::clone(first));
    for number in 0..WORKERS {
        register(&on_first, &format!("w{number}")).await;
    }

    let end = Instant::now() + FOR;
    let mut tasks = JoinSet::new();
    for number in 0..WORKERS {
        let store = Arc::clone(if number % 2 == 0 { first } else { second });
        tasks.spawn(async move {
            let worker = format!("w{number}");
            for round in 1.. {
                if Instant::now() > end {
                    break;
                }
                let offer = Offer { groups: 6, group_size: 3 };
                let claim = Claim {
                    worker: worker.clone(),
                    id: format!("{worker}-{round}"),
                    number: round,
                    offer,
                    joins: None,
                };
                let granted = store.run_claim(claim, LEASE_MS).await.unwrap();
                let mut attempts: Vec<_> = granted.iter().map(|grant: &Grant| grant.attempt).collect();
                // A third of them is forgotten, and so expires.
                attempts.truncate(attempts.len() * 2 / 3);
                store.lease_renew(&worker, attempts.clone(), LEASE_MS).await.unwrap();
                for (nth, attempt) in attempts.into_iter().enumerate() {
                    match nth % 3 {
                        0 => expect(store.attempt_complete(attempt, 100, 0).await),
                        1 => expect(store.attempt_fail(attempt, false, "broken".to_owned(), 0).await),
                        _ => expect(store.attempt_release(attempt).await),
                    }
                }
            }
        });
    }
    for (nth, name) in ["s", "t"].into_iter().enumerate() {
        let [one, other] = [0, 1].map(|number| Arc::clone(&shared.coordinators[(nth + number) % 2]));
        let expiring = Arc::clone(&one);
        tasks.spawn(async move {
            while Instant::now() < end {
                let now_ms = expiring.probe().await.unwrap();
                expiring.lease_expire(now_ms).await.unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        tasks.spawn(async move {
            while Instant::now() < end {
                let retry = |from_scratch| Intent::Retry { states: RETRIED.to_vec(), from_scratch };
                let cancelled = Intent::Retry { states: vec![RunState::Cancelled], from_scratch: false };
                for intent in [Intent::Cancel, cancelled, Intent::PauseNow, Intent::Resume, retry(true)] {
                    // Some of them, last first, or all.
                    let some = rand::rng().random_range(0..3) > 0;
                    let planned = if some {
                        one.run_list(name, &[], 0, RUNS as u32 / 3).await.unwrap()
                    } else {
                        vec![]
                    };
                    let numbers = planned.iter().rev().map(|run| run.number).collect();
                    expect(one.runs_change(name, numbers, intent).await);
                }
            }
        });
        tasks.spawn(async move {
            while Instant::now() < end {
                let mut sweep = seeds(name, rand::rng().random_range(0..100), RUNS);
                if rand::rng().random_range(0..2) == 0 {
                    sweep.runs.reverse();
                }
                other.sweep_submit(sweep).await.unwrap();
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
    }
    tasks.join_all().await;

    let mut raw = PgConnection::connect(&shared.url).await.unwrap();
    let wrong: i64 = sqlx::query_scalar(
        "select count(*) from runs r where
             r.attempt <> (select count(*) from attempts a where a.run_id = r.id)
             or r.state <> coalesce((select e.state from events e where e.run_id = r.id order by e.number desc limit 1), 'queued')
             or (r.state <> 'running' and exists
                 (select 1 from attempts a where a.run_id = r.id and a.ended_ms is null))",
    )
    .fetch_one(&mut raw)
    .await
    .unwrap();
    assert_eq!(wrong, 0, "runs whose state, attempts and events contradict each other");
    let mut told: BTreeMap<RunState, u32> = BTreeMap::new();
    for name in ["s", "t"] {
        let events = first.event_list(name, 0.into(), u32::MAX).await.unwrap();
        assert!(events.iter().map(|event| event.number).eq(1..=events.len() as u64), "no gaps");
        events.iter().for_each(|event| *told.entry(event.state).or_default() += 1);
    }
    for state in [RunState::Running, RunState::Completed, RunState::Cancelled, RunState::Paused] {
        assert!(told.get(&state).is_some_and(|&events| events > 0), "nothing became {state}: {told:?}");
    }
    raw.close().await.unwrap();
    assert_eq!(shared.deadlocks().await, 0, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_thousands_of_runs_is_quick_and_keeps_other_sweeps_leases() {
    const RUNS: u64 = 20_000;
    let Some(shared) = Shared::start().await else { return };
    let [first, second] = shared.coordinators.clone();
    let begun = Instant::now();
    first.sweep_submit(seeds("large", 0, RUNS)).await.unwrap();
    let submitting = begun.elapsed();
    first.sweep_submit(NewSweep { priority: 1, ..sweep("other", &[0.5]) }).await.unwrap();
    register(&Tested::shared(Arc::clone(&first)), "w").await;
    let held: Vec<_> =
        second.run_claim(claim("w", "c", 4), LEASE).await.unwrap().iter().map(|it| it.attempt).collect();
    assert_eq!(held.len(), 4, "two of each sweep");

    let cancel = tokio::spawn(async move {
        let begun = Instant::now();
        let changes = first.runs_change("large", Vec::new(), Intent::Cancel).await.unwrap().unwrap();
        (changes, begun.elapsed())
    });
    let mut longest = Duration::ZERO;
    let mut renewals = 0;
    while !cancel.is_finished() {
        let begun = Instant::now();
        let renewal = second.lease_renew("w", held.clone(), LEASE).await.unwrap();
        assert!(renewal.fenced.is_empty());
        longest = longest.max(begun.elapsed());
        renewals += 1;
    }
    let (changes, took) = cancel.await.unwrap();
    assert_eq!((changes.changed, changes.asked), (RUNS as u32 - 2, 2));
    // Seconds, and in proportion to the runs; how many depends on the machine.
    assert!(took < 3 * submitting, "it took {took:?}, and {submitting:?} to submit them");
    let renew = Duration::from_millis(LeaseTerms::default().renew_ms.into());
    assert!(longest < renew / 2, "a renewal took {longest:?}, the longest of {renewals}");
    eprintln!("{RUNS} runs: submitted in {submitting:?}, cancelled in {took:?}; longest renewal {longest:?}");
    assert_eq!(shared.deadlocks().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_caller_went_away_is_continued_by_its_repetition() {
    const RUNS: u64 = 6000;
    let Some(shared) = Shared::start().await else { return };
    let [first, second] = shared.coordinators.clone();
    first.sweep_submit(seeds("s", 0, RUNS)).await.unwrap();
    let some_are_cancelled = async {
        while first.event_list("s", 0.into(), 1).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = some_are_cancelled => {}
        all = first.runs_change("s", Vec::new(), Intent::Cancel) => panic!("it was not cut off: {all:?}"),
    }
    let changes = second.runs_change("s", Vec::new(), Intent::Cancel).await.unwrap().unwrap();
    assert!(changes.unchanged > 0 && changes.changed > 0, "{changes:?}");
    assert_eq!(changes.changed + changes.unchanged, RUNS as u32);
    let events = first.event_list("s", 0.into(), u32::MAX).await.unwrap();
    assert!(events.iter().map(|event| event.number).eq(1..=RUNS), "each once");
    let runs: HashSet<RunId> = events.iter().map(|event| event.run).collect();
    assert_eq!(runs.len() as u64, RUNS);
}
