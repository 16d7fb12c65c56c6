//! What holds whatever workers send, and in whatever order it comes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};

use acai_coordinator::store::{AttemptRef, NewRun, NewSweep, Point};
use acai_sweep::control::{Intent, RETRIED};
use acai_sweep::run::RunState;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Runtime;

use crate::{LEASE, Tested, claim, point, register, sweep};

/// A test for each property and database; the latter with fewer cases where a case costs more.
macro_rules! properties {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $name() {
                    let runtime = super::runtime();
                    let store = runtime.block_on(crate::Tested::sqlite());
                    super::$name(&runtime, &store, 200);
                }
            )*
        }

        mod postgres {
            $(
                #[test]
                fn $name() {
                    let runtime = super::runtime();
                    if let Some(store) = runtime.block_on(crate::Tested::postgres()) {
                        super::$name(&runtime, &store, 40);
                    }
                }
            )*
        }
    };
}

properties!(
    points_count_once_however_their_batches_are_cut_repeated_and_mixed,
    a_run_ends_once_however_its_ends_and_claims_are_mixed,
    a_sweep_counts_its_runs_as_they_are_whatever_was_done,
);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn check<S: Strategy>(cases: u32, inputs: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    TestRunner::new(config).run(&inputs, property).unwrap_or_else(|failure| panic!("{failure}"));
}

/// A new sweep with one run, the first in the queue.
async fn one_run(store: &Tested) -> String {
    static NUMBER: AtomicI64 = AtomicI64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("s{number}");
    let mut sweep = NewSweep { priority: number, ..sweep(&name, &[0.5]) };
    sweep.runs.truncate(1);
    store.sweep_submit(sweep).await.unwrap();
    register(store, "w").await;
    name
}

/// The run's next attempt, if it is queued.
async fn claim_run(store: &Tested, sweep: &str, number: usize) -> Option<AttemptRef> {
    let grants = store.run_claim(claim("w", &format!("{sweep}-{number}"), 1), LEASE).await.unwrap();
    let [grant] = grants.as_slice() else { return None };
    if grant.sweep == sweep {
        return Some(grant.attempt);
    }
    // Another case's, since this one's is not queued. It may have expired by now.
    let _ = store.attempt_release(grant.attempt).await;
    None
}

const POINTS: u64 = 24;

/// Two metrics in turn.
fn numbered(seq: u64) -> Point {
    point(if seq.is_multiple_of(2) { "even" } else { "odd" }, seq, (seq * seq) as f64)
}

fn points_count_once_however_their_batches_are_cut_repeated_and_mixed(
    runtime: &Runtime,
    store: &Tested,
    cases: u32,
) {
    let batch = (1..=POINTS, 0..10u64).prop_map(|(first, length)| first..(first + length).min(POINTS + 1));
    // Each pair is sent at once, as by two streams of one attempt.
    check(cases, vec((batch.clone(), batch), 1..12), |pairs| {
        runtime.block_on(async {
            let name = one_run(store).await;
            let attempt = claim_run(store, &name, 0).await.unwrap();
            let send = async |batch: &std::ops::Range<u64>| {
                let points = batch.clone().map(numbered).collect();
                store.metrics_append(attempt, batch.start, points, 0).await.unwrap()
            };
            let (mut sent, mut acked) = (BTreeSet::new(), 0);
            for (one, other) in &pairs {
                sent.extend(one.clone());
                sent.extend(other.clone());
                let prefix = (1..).take_while(|seq| sent.contains(seq)).count() as u64;
                let (first, second) = tokio::join!(send(one), send(other));
                for ack in [first, second] {
                    prop_assert!(acked <= ack && ack <= prefix, "{acked} <= {ack} <= {prefix}");
                }
                acked = first.max(second);
            }
            let summaries = store.run_details(&name, 0).await.unwrap().unwrap().summaries;
            for (metric, rest) in [("even", 0), ("odd", 1)] {
                let values: Vec<f64> =
                    (1..=acked).filter(|seq| seq % 2 == rest).map(|seq| (seq * seq) as f64).collect();
                let Some(summary) = summaries.get(metric) else {
                    prop_assert!(values.is_empty());
                    continue;
                };
                let last = values.last().copied();
                prop_assert_eq!((Some(summary.last), Some(summary.max)), (last, last));
                prop_assert_eq!(Some(summary.min), values.first().copied());
                prop_assert_eq!(summary.mean, values.iter().sum::<f64>() / values.len() as f64);
            }
            store.attempt_complete(attempt, 100, acked).await.unwrap();
            Ok(())
        })
    });
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Claim,
    /// The lease of whoever holds the run runs out.
    Expire,
    /// The others: by one of the attempts so far.
    Append(usize),
    Complete(usize),
    Fail(usize, bool),
    Release(usize),
}

fn a_run_ends_once_however_its_ends_and_claims_are_mixed(runtime: &Runtime, store: &Tested, cases: u32) {
    let step = prop_oneof![
        4 => proptest::strategy::Just(Step::Claim),
        2 => proptest::strategy::Just(Step::Expire),
        1 => any::<usize>().prop_map(Step::Append),
        1 => any::<usize>().prop_map(Step::Complete),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(by, diverged)| Step::Fail(by, diverged)),
        2 => any::<usize>().prop_map(Step::Release),
    ];
    check(cases, vec((step.clone(), step), 1..10), |pairs| {
        runtime.block_on(async {
            let name = one_run(store).await;
            let mut attempts: Vec<AttemptRef> = Vec::new();
            let (mut ended, mut number) = (None, 0);
            for (round, (one, other)) in pairs.iter().enumerate() {
                let (first, second) = tokio::join!(
                    take(store, &name, &attempts, *one, 2 * round),
                    take(store, &name, &attempts, *other, 2 * round + 1)
                );
                attempts.extend(first);
                attempts.extend(second);
                let numbers: BTreeSet<_> = attempts.iter().map(|attempt| attempt.number).collect();
                prop_assert_eq!(numbers.len(), attempts.len(), "each attempt is granted once");

                let run = &store.run_list(&name, &[]).await.unwrap()[0];
                prop_assert!(run.attempt >= number, "{} after {number}", run.attempt);
                number = run.attempt;
                prop_assert!(
                    ended.is_none_or(|end| end == (run.state, number)),
                    "{:?} after {ended:?}",
                    run.state
                );
                if !matches!(run.state, RunState::Queued | RunState::Running) {
                    ended = Some((run.state, number));
                }
                prop_assert!(numbers.iter().all(|&granted| granted <= number));
            }
            // So that later cases do not find it.
            if let Some(&last) = attempts.iter().max_by_key(|attempt| attempt.number) {
                let _ = store.attempt_fail(last, true, String::new(), 0).await;
            }
            Ok(())
        })
    });
}

async fn take(
    store: &Tested,
    sweep: &str,
    attempts: &[AttemptRef],
    step: Step,
    number: usize,
) -> Option<AttemptRef> {
    let by = |index: usize| (!attempts.is_empty()).then(|| attempts[index % attempts.len()]);
    // Those that do not hold the run are refused, and change nothing: that is what the caller looks at.
    match step {
        Step::Claim => return claim_run(store, sweep, number).await,
        Step::Expire => {
            store.clock.set(store.clock.now_ms() + LEASE + 1);
            store.lease_expire(store.clock.now_ms()).await.unwrap();
        }
        Step::Append(index) => {
            let _ = store.metrics_append(by(index)?, 1, vec![numbered(1)], 1).await;
        }
        Step::Complete(index) => {
            let _ = store.attempt_complete(by(index)?, 100, 0).await;
        }
        Step::Fail(index, diverged) => {
            let _ = store.attempt_fail(by(index)?, diverged, String::new(), 0).await;
        }
        Step::Release(index) => {
            let _ = store.attempt_release(by(index)?).await;
        }
    }
    None
}

/// What is done to a sweep and its runs.
#[derive(Debug, Clone)]
enum Deed {
    /// Its file has these of all λ.
    Submit(Vec<usize>),
    /// By one of the attempts so far, or to whichever run is next.
    Attempt(Step),
    Change(Intent),
}

fn deeds() -> impl Strategy<Value = Deed> {
    let intents = [
        Intent::Pause,
        Intent::PauseNow,
        Intent::Resume,
        Intent::Cancel,
        Intent::Retry { states: RETRIED.to_vec(), from_scratch: true },
    ];
    let step = prop_oneof![
        6 => proptest::strategy::Just(Step::Claim),
        1 => proptest::strategy::Just(Step::Expire),
        3 => any::<usize>().prop_map(Step::Append),
        2 => any::<usize>().prop_map(Step::Complete),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(by, diverged)| Step::Fail(by, diverged)),
        1 => any::<usize>().prop_map(Step::Release),
    ];
    prop_oneof![
        1 => proptest::sample::subsequence(vec![0, 1, 2], 1..=3).prop_map(Deed::Submit),
        6 => step.prop_map(Deed::Attempt),
        2 => proptest::sample::select(intents.to_vec()).prop_map(Deed::Change),
    ]
}

fn a_sweep_counts_its_runs_as_they_are_whatever_was_done(runtime: &Runtime, store: &Tested, cases: u32) {
    check(cases, vec(deeds(), 1..20), |deeds| {
        runtime.block_on(async {
            let name = one_run(store).await;
            let mut attempts: Vec<AttemptRef> = Vec::new();
            for (round, deed) in deeds.iter().enumerate() {
                match deed {
                    Deed::Submit(lambdas) => {
                        let lambdas: Vec<f64> = lambdas.iter().map(|&place| [0.1, 0.5, 0.9][place]).collect();
                        let file = NewSweep { priority: i64::MAX, ..sweep(&name, &lambdas) };
                        store.sweep_submit(file).await.unwrap();
                    }
                    Deed::Attempt(step) => attempts.extend(take(store, &name, &attempts, *step, round).await),
                    Deed::Change(intent) => {
                        store.runs_change(&name, Vec::new(), intent.clone()).await.unwrap();
                    }
                }
                counts_are_those_of_runs(store, &name).await?;
            }
            // So that later cases do not find its runs.
            let _ = store.runs_change(&name, Vec::new(), Intent::Cancel).await.unwrap();
            for attempt in attempts {
                let _ = store.attempt_release(attempt).await;
            }
            let _ = store.sweep_forget(&name).await.unwrap();
            Ok(())
        })
    });
}

async fn counts_are_those_of_runs(store: &Tested, name: &str) -> Result<(), TestCaseError> {
    let overview = store.sweep_fetch(name).await.unwrap().unwrap().overview;
    let planned = store.run_list(name, &[]).await.unwrap();
    let mut counts = BTreeMap::<RunState, u32>::new();
    for run in &planned {
        *counts.entry(run.state).or_default() += 1;
    }
    prop_assert_eq!(overview.counts.iter().copied().collect::<BTreeMap<_, _>>(), counts);
    let images =
        |steps: u64| steps * u64::from(NewRun::new(&planned[0].configuration, 0).configuration.batch);
    prop_assert_eq!(overview.images_done, images(planned.iter().map(|run| run.step).sum()));
    prop_assert_eq!(overview.images_total, images(planned.iter().map(|run| run.total_steps).sum()));
    let leaving = store.set_aside_list(name, &[RunState::Running], 0, u32::MAX).await.unwrap();
    prop_assert_eq!(overview.leaving as usize, leaving.len());
    let is_queued = planned.iter().any(|run| run.state == RunState::Queued);
    prop_assert_eq!(overview.queued_datasets.len(), usize::from(is_queued));
    Ok(())
}
