//! A sweep comes from elsewhere with what its runs have come to: whole, or not at all.

use acai_coordinator::store::{Artifact, ImportedRun, NewRun, NewSweep, StoreError};
use acai_sweep::run::RunState;

use crate::{LEASE, Tested, claim, contract, register, sweep, upload};

contract!(
    an_imported_run_has_its_results_and_the_others_are_trained,
    an_import_of_a_run_that_is_not_asked_for_leaves_nothing,
    a_sweep_that_is_there_is_left_alone,
    an_imported_run_has_its_files_if_their_blobs_are_there,
);

/// More points than are inserted at a time.
const POINTS: u64 = 2500;

fn imported(run: &NewRun) -> ImportedRun {
    let curve = (1..=POINTS).map(|step| (step, 1.0 / step as f64)).collect();
    ImportedRun {
        config_hash: run.configuration.config_hash.clone(),
        seed: run.seed,
        state: RunState::Completed,
        step: run.total_steps,
        failures: 1,
        message: Some("it failed once".to_owned()),
        curves: vec![("eval/x".to_owned(), curve)],
        artifacts: Vec::new(),
    }
}

fn new() -> NewSweep {
    sweep("s", &[0.1, 0.5])
}

async fn an_imported_run_has_its_results_and_the_others_are_trained(store: &Tested) {
    let new = new();
    let runs = new.runs.len();
    assert!(store.sweep_import(new.clone(), vec![imported(&new.runs[1])]).await.unwrap());
    let results = store.result_list("s").await.unwrap();
    assert_eq!(results.len(), runs);
    let [queued, completed, ..] = results.as_slice() else { panic!("{results:?}") };
    assert_eq!((queued.state, completed.state), (RunState::Queued, RunState::Completed));
    let summary = completed.summaries["eval/x"];
    assert_eq!((summary.last, summary.min, summary.max), (1.0 / POINTS as f64, 1.0 / POINTS as f64, 1.0));
    let details = store.run_details("s", 1).await.unwrap().unwrap();
    assert_eq!((details.run.step, details.run.failures), (new.runs[1].total_steps, 1));
    assert_eq!(details.run.message.as_deref(), Some("it failed once"));
    register(store, "w").await;
    let granted = store.run_claim(claim("w", "c", 100), LEASE).await.unwrap();
    assert_eq!(granted.len(), runs - 1);
    assert!(granted.iter().all(|grant| grant.number != 1));
}

async fn an_import_of_a_run_that_is_not_asked_for_leaves_nothing(store: &Tested) {
    let new = new();
    let stranger = ImportedRun { seed: 77, ..imported(&new.runs[1]) };
    let runs = vec![imported(&new.runs[0]), stranger];
    let refused = store.sweep_import(new, runs).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert!(store.sweep_list().await.unwrap().is_empty());
}

async fn a_sweep_that_is_there_is_left_alone(store: &Tested) {
    store.sweep_submit(new()).await.unwrap();
    let other = sweep("s", &[0.9]);
    let runs = vec![imported(&other.runs[0])];
    assert!(!store.sweep_import(other, runs).await.unwrap());
    let runs = store.run_list("s", &[]).await.unwrap();
    assert_eq!(runs.len(), new().runs.len());
}

async fn an_imported_run_has_its_files_if_their_blobs_are_there(store: &Tested) {
    let new = new();
    let picture = Artifact { name: "samples.png".to_owned(), step: 8, sha256: "ab".repeat(32), bytes: 5 };
    let run = ImportedRun { artifacts: vec![(picture.clone(), 2)], ..imported(&new.runs[1]) };
    let refused = store.sweep_import(new.clone(), vec![run.clone()]).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert!(store.sweep_list().await.unwrap().is_empty());

    upload(store, &picture.sha256, "tag", 5).await;
    assert!(store.sweep_import(new, vec![run]).await.unwrap());
    let listed = store.artifact_list("s", &[], None, 10).await.unwrap();
    assert_eq!(
        listed.iter().map(|it| (it.number, &it.artifact, it.attempt)).collect::<Vec<_>>(),
        [(1, &picture, 2)]
    );
    // Nobody collects what an imported run needs.
    store.clock.set(LEASE);
    assert_eq!(store.blob_collect(0, 0).await.unwrap(), []);
}
