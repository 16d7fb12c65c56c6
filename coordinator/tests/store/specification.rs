//! Every store does what the simplest one does, whatever people and workers ask of it in whatever order: the same answers, the
//! same refusals in the same words, and the same things to be read after each step.

mod drawing;
mod file;
mod operation;
mod reading;
mod side;

use std::collections::BTreeSet;
use std::sync::Arc;

use acai_coordinator::clock::{Clock, ManualClock};
use acai_coordinator::store::RunId;
use acai_coordinator::store::memory::MemoryStore;
use proptest::collection::vec;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::Tested;
use drawing::{operation, submission};
use operation::Operation;
use reading::{Order, everything};
use side::Side;

/// Operations of a sequence at the most.
const LENGTH: usize = 80;
/// After how many operations everything is read. A sequence that shows a difference is shrunk until it ends with its cause.
const READ: usize = 40;
/// Files that are submitted at the beginning of a sequence at the most.
const FILES: usize = 3;

fn compare(sequences: u32, database: impl AsyncFn() -> Option<Tested>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config =
        Config { cases: sequences, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let outcome = TestRunner::new(config).run(&sequence(), |operations| {
        runtime.block_on(async {
            let Some(database) = database().await else { return Ok(()) };
            let (mut specified, mut found) = (Side::new(Tested::memory()).await, Side::new(database).await);
            for (step, operation) in operations.iter().enumerate() {
                let (expected, answer) = (specified.apply(operation).await, found.apply(operation).await);
                same(step, operation, &expected, &answer)?;
                if step % READ == 0 || step + 1 == operations.len() {
                    let expected = everything(&specified.store, Order::Numbers).await;
                    same(step, operation, &expected, &everything(&found.store, Order::Numbers).await)?;
                }
            }
            found.store.close().await;
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// First some sweeps, so that there is something to choose from.
fn sequence() -> impl Strategy<Value = Vec<Operation>> {
    (vec(submission(), 0..=FILES), vec(operation(), 1..LENGTH))
        .prop_map(|(files, work)| [files, work].concat())
}

fn same(step: usize, operation: &Operation, expected: &str, found: &str) -> Result<(), TestCaseError> {
    match difference(expected, found) {
        None => Ok(()),
        Some(difference) => {
            Err(TestCaseError::fail(format!("after operation {step}, {operation:?}: {difference}")))
        }
    }
}

/// The first line in which the texts differ.
fn difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let differing = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
    let (expected, found) = differing.unwrap_or((expected, found));
    Some(format!("\n expected: {expected}\n    found: {found}"))
}

/// Operations at once at the most.
const AT_ONCE: usize = 3;

/// All orders of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let with_last = |order: Vec<usize>| {
        (0..count).map(move |place| [&order[..place], &[count - 1], &order[place..]].concat())
    };
    orders(count - 1).into_iter().flat_map(with_last).collect()
}

/// What a database answers to several calls at once, and what is to be read then, is what the simplest store does in one of their
/// orders.
#[test]
fn what_postgres_does_at_once_is_what_the_simplest_store_does_in_some_order() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config =
        Config { failure_persistence: None, max_shrink_iters: 200, ..Config::with_cases(sequences(15)) };
    let files = vec(vec(submission(), 1), 0..=FILES);
    let steps = (files, vec(vec(operation(), 1..=AT_ONCE), 1..30));
    let outcome = TestRunner::new(config).run(&steps, |(files, steps)| {
        runtime.block_on(async {
            let Some(database) = Tested::postgres().await else { return Ok(()) };
            let mut found = Side::new(database).await;
            let mut specified = Specified::new().await;
            for operations in files.iter().chain(&steps) {
                let is_together = operations.iter().all(Operation::is_one_transaction);
                for operations in operations.chunks(if is_together { AT_ONCE } else { 1 }) {
                    let answers = found.apply_at_once(operations).await;
                    let read = everything(&found.store, Order::Runs).await;
                    specified.follow(operations, &answers, &read).await?;
                }
            }
            found.store.close().await;
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// The simplest store in the state that explains all answers so far.
struct Specified {
    store: Arc<MemoryStore>,
    clock: ManualClock,
    side: Side,
}

impl Specified {
    async fn new() -> Specified {
        let clock = ManualClock::default();
        let store = Arc::new(MemoryStore::new(Clock::Manual(clock.clone())));
        let side = Side::new(Tested::in_memory(Arc::clone(&store), &clock)).await;
        Specified { store, clock, side }
    }

    /// The orders in which the operations may have been done, and the runs that a claim among them may have passed over because
    /// another operation held their rows at that moment: the worker asks again soon.
    fn explanations(&self, operations: &[Operation]) -> Vec<(Vec<RunId>, Vec<usize>)> {
        let has_claim = operations.iter().any(|operation| matches!(operation, Operation::Claim { .. }));
        let runs = if has_claim { self.side.runs(operations) } else { BTreeSet::new() };
        let mut held = vec![Vec::new()];
        for run in runs {
            let with_run: Vec<_> = held.iter().map(|others| [others.as_slice(), &[run]].concat()).collect();
            held.extend(with_run);
        }
        let orders = orders(operations.len());
        held.iter().flat_map(|held| orders.iter().map(|order| (held.clone(), order.clone()))).collect()
    }

    /// Does the operations in the order that gives these answers, after which this is to be read.
    async fn follow(
        &mut self,
        operations: &[Operation],
        answers: &str,
        read: &str,
    ) -> Result<(), TestCaseError> {
        let mut differences = Vec::new();
        let before_ms = self.clock.now_ms();
        for (held, order) in self.explanations(operations) {
            self.clock.set(before_ms);
            let store = Arc::new(self.store.copy());
            store.hold(held.iter().copied());
            let mut side = self.side.on(Tested::in_memory(Arc::clone(&store), &self.clock));
            let expected = side.apply_in_order(operations, &order).await;
            store.hold([]);
            let expected_read = everything(&side.store, Order::Runs).await;
            match difference(&expected, answers).or_else(|| difference(&expected_read, read)) {
                Some(difference) => {
                    differences.push(format!("in order {order:?} while {held:?} are held: {difference}"));
                }
                None => {
                    (self.store, self.side) = (store, side);
                    return Ok(());
                }
            }
        }
        let differences = differences.join("\n");
        Err(TestCaseError::fail(format!(
            "no order of {operations:?} explains what was answered\n{differences}"
        )))
    }
}

#[test]
fn sqlite_does_what_the_simplest_store_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let empty = runtime.block_on(Tested::empty_sqlite());
    compare(sequences(1_000), async || Some(Tested::sqlite_like(&empty).await));
}

#[test]
fn postgres_does_what_the_simplest_store_does() {
    compare(sequences(40), Tested::postgres);
}

/// How many sequences are tried: `SEQUENCES` says so where somebody has the time.
fn sequences(usual: u32) -> u32 {
    std::env::var("SEQUENCES").ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}
