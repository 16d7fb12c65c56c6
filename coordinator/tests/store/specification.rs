//! Every store does what the simplest one does, whatever people and workers ask of it in whatever order: the same answers, the
//! same refusals in the same words, and the same things to be read after each step.

mod operation;
mod reading;

use acai_coordinator::store::Store;
use proptest::collection::vec;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::Tested;
use operation::{Operation, Side, operation};
use reading::everything;

/// Operations of a sequence at the most.
const LENGTH: usize = 80;
/// After how many operations everything is read. A sequence that shows a difference is shrunk until it ends with its cause.
const READ: usize = 10;

fn compare(sequences: u32, database: impl AsyncFn() -> Option<Tested>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config =
        Config { cases: sequences, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let outcome = TestRunner::new(config).run(&vec(operation(), 1..LENGTH), |operations| {
        runtime.block_on(async {
            let Some(database) = database().await else { return Ok(()) };
            let (mut specified, mut found) = (Side::new(Tested::memory()).await, Side::new(database).await);
            for (step, operation) in operations.iter().enumerate() {
                let (expected, answer) = (specified.apply(operation).await, found.apply(operation).await);
                same(step, operation, &expected, &answer)?;
                if step % READ == 0 || step + 1 == operations.len() {
                    let expected = everything(&specified.store).await;
                    same(step, operation, &expected, &everything(&found.store).await)?;
                }
            }
            found.store.close().await;
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

fn same(step: usize, operation: &Operation, expected: &str, found: &str) -> Result<(), TestCaseError> {
    if expected == found {
        return Ok(());
    }
    let differing = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
    let (expected, found) = differing.unwrap_or((expected, found));
    Err(TestCaseError::fail(format!(
        "after operation {step}, {operation:?}\n expected: {expected}\n    found: {found}"
    )))
}

#[test]
fn sqlite_does_what_the_simplest_store_does() {
    compare(sequences(60), async || Some(Tested::sqlite().await));
}

#[test]
fn postgres_does_what_the_simplest_store_does() {
    compare(sequences(15), Tested::postgres);
}

/// How many sequences are tried: `SEQUENCES` says so where somebody has the time.
fn sequences(usual: u32) -> u32 {
    std::env::var("SEQUENCES").ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}
