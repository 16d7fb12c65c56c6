//! Sweeps come in, and their runs with them.

use acai_coordinator::store::Submission;
use acai_sweep::run::RunState;

use crate::{LEASE, Tested, claim, contract, register, sweep};

contract!(
    the_same_file_again_adds_nothing,
    a_larger_grid_adds_only_what_is_missing,
    runs_that_left_the_file_are_set_aside_and_come_back,
    an_unknown_sweep_is_none,
);

async fn the_same_file_again_adds_nothing(store: &Tested) {
    store.clock.set(7);
    let first = store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    assert_eq!(first, Submission { new_runs: 4, existing_runs: 0, other_runs: 0 });
    store.clock.set(8);
    let again = store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    assert_eq!(again, Submission { new_runs: 0, existing_runs: 4, other_runs: 0 });

    let [listed] = store.sweep_list().await.unwrap().try_into().unwrap();
    assert_eq!((listed.name.as_str(), listed.submitted_ms), ("s", 7));
    assert_eq!(listed.counts, [(RunState::Queued, 4)]);
    assert_eq!((listed.images_done, listed.images_total), (0, 4 * 100 * 64));
    assert_eq!(listed.tags, ["a tag"]);
}

async fn a_larger_grid_adds_only_what_is_missing(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    let before: Vec<u64> = store.run_list("s", &[]).await.unwrap().iter().map(|run| run.id).collect();
    let larger = store.sweep_submit(sweep("s", &[0.5, 0.1])).await.unwrap();
    assert_eq!(larger, Submission { new_runs: 2, existing_runs: 2, other_runs: 0 });
    let runs = store.run_list("s", &[]).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.index).collect::<Vec<_>>(), [0, 1, 2, 3], "in the new plan's order");
    assert_eq!([runs[1].id, runs[3].id], before[..], "runs keep their identity");
}

async fn runs_that_left_the_file_are_set_aside_and_come_back(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    let smaller = store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    assert_eq!(smaller, Submission { new_runs: 0, existing_runs: 2, other_runs: 2 });
    assert_eq!(store.run_list("s", &[]).await.unwrap().len(), 2);
    register(store, "w").await;
    assert_eq!(store.run_claim(claim("w", "c", 9), LEASE).await.unwrap().len(), 2, "others are not trained");
    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    let states: Vec<_> = store.run_list("s", &[]).await.unwrap().iter().map(|run| run.state).collect();
    use RunState::{Queued, Running};
    assert_eq!(states, [Queued, Running, Queued, Running]);
}

async fn an_unknown_sweep_is_none(store: &Tested) {
    assert!(store.sweep_fetch("s").await.unwrap().is_none());
    store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    assert_eq!(store.sweep_fetch("s").await.unwrap().unwrap().source, "the file of s");
}
