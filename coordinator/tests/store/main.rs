//! The contract of a [`Store`]: each behaviour is a function over `&dyn Store`, run on every kind of store.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attempts;
mod claims;
mod files;
mod metrics;
mod submissions;

use std::sync::Arc;

use acai_coordinator::store::sqlite::SqliteStore;
use acai_coordinator::store::{AttemptRef, Claim, NewRun, NewSweep, Point, Registration, Store};
use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_sweep::schedule::Offer;
use tempfile::TempDir;

/// One test for each named behaviour, on a database of its own.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    let (store, _folder) = crate::sqlite_store().await;
                    super::$name(&*store).await;
                }
            )*
        }
    };
}
pub(crate) use contract;

pub(crate) const LEASE: i64 = 30_000;

async fn sqlite_store() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("acai.db")).await.unwrap();
    (Arc::new(store), folder)
}

/// ACAI on lines32 with these λ, in this order, each with seeds 0 and 1.
pub(crate) fn sweep(name: &str, lambdas: &[f64]) -> NewSweep {
    let run = |seed, lambda: f64| NewRun {
        seed,
        configuration: Configuration::new([
            ("model", Scalar::from("acai")),
            ("dataset", Scalar::from("lines32")),
            ("lambda", Scalar::from(lambda)),
        ])
        .unwrap(),
        batch: 64,
        total_steps: 100,
        dataset: "lines32".to_owned(),
    };
    NewSweep {
        name: name.to_owned(),
        source: format!("the file of {name}"),
        description: String::new(),
        tags: vec!["a tag".to_owned()],
        priority: 0,
        max_concurrent: None,
        max_restarts: 1,
        checkpoint_kimg: Some(8.0),
        runs: (0..2).flat_map(|seed| lambdas.iter().map(move |&lambda| run(seed, lambda))).collect(),
    }
}

pub(crate) async fn register(store: &dyn Store, worker: &str) {
    let registration = Registration {
        id: worker.to_owned(),
        name: format!("{worker} of host"),
        version: "0".to_owned(),
        hardware: "{}".to_owned(),
        slots: 2,
        datasets: vec!["lines32".to_owned()],
    };
    store.worker_register(registration, 0).await.unwrap();
}

pub(crate) fn claim(worker: &str, id: &str, groups: u32) -> Claim {
    Claim { worker: worker.to_owned(), id: id.to_owned(), offer: Offer { groups, group_size: 1 } }
}

/// A worker `w` holds one run of the sweep `s`, until [`LEASE`].
pub(crate) async fn one_running(store: &dyn Store) -> AttemptRef {
    store.sweep_submit(sweep("s", &[0.5]), 0).await.unwrap();
    register(store, "w").await;
    claim_one(store, "first").await
}

/// The next run for worker `w`.
pub(crate) async fn claim_one(store: &dyn Store, claim_id: &str) -> AttemptRef {
    store.run_claim(claim("w", claim_id, 1), 0, LEASE).await.unwrap()[0].attempt
}

pub(crate) fn point(name: &str, step: u64, value: f64) -> Point {
    Point { name: name.to_owned(), step, value }
}
