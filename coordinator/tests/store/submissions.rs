//! Sweeps come in, and their runs with them.

use acai_coordinator::store::{NewSweep, Replacing, RunId, RunRecord, Store, StoreError, Submission};
use acai_sweep::control::Intent;
use acai_sweep::metric::{Goal, Metric};
use acai_sweep::report::Report;
use acai_sweep::run::RunState;

use crate::{LEASE, Tested, claim, claim_one, contract, one_running, point, register, sweep};

contract!(
    the_same_file_again_adds_nothing,
    a_larger_grid_adds_only_what_is_missing,
    runs_keep_their_numbers_whatever_is_submitted_later,
    runs_that_left_the_file_are_set_aside_and_come_back,
    a_run_that_leaves_the_file_while_it_is_trained_is_given_back_shown_and_can_be_cancelled,
    a_dry_run_changes_nothing_and_answers_what_would_happen,
    runs_with_results_are_set_aside_only_where_that_is_asked_for,
    an_unknown_sweep_is_none,
    runs_are_listed_in_pages_of_the_plan,
    what_the_file_says_of_tables_is_kept_with_the_sweep,
);

const STORED: Submission = Submission {
    new_runs: 0,
    lengthened_runs: 0,
    existing_runs: 0,
    other_runs: 0,
    set_aside: 0,
    set_aside_with_results: 0,
    is_stored: true,
};

async fn the_same_file_again_adds_nothing(store: &Tested) {
    store.clock.set(7);
    let first = store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    assert_eq!(first, Submission { new_runs: 4, ..STORED });
    store.clock.set(8);
    let again = store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    assert_eq!(again, Submission { existing_runs: 4, ..STORED });

    let [listed] = store.sweep_list().await.unwrap().try_into().unwrap();
    assert_eq!((listed.name.as_str(), listed.submitted_ms), ("s", 7));
    assert_eq!(listed.counts, [(RunState::Queued, 4)]);
    assert_eq!((listed.images_done, listed.images_total), (0, 4 * 100 * 64));
    assert_eq!(listed.tags, ["a tag"]);
}

async fn a_larger_grid_adds_only_what_is_missing(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    let before: Vec<RunId> = store.run_list("s", &[]).await.unwrap().iter().map(|run| run.id).collect();
    let larger = store.sweep_submit(sweep("s", &[0.5, 0.1])).await.unwrap();
    assert_eq!(larger, Submission { new_runs: 2, existing_runs: 2, ..STORED });
    let runs = store.run_list("s", &[]).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.place).collect::<Vec<_>>(), [0, 1, 2, 3], "in the new plan's order");
    assert_eq!([runs[1].id, runs[3].id], before[..], "runs keep their identity");
}

async fn runs_keep_their_numbers_whatever_is_submitted_later(store: &Tested) {
    let submit = async |name, lambdas: &[f64]| store.sweep_submit(sweep(name, lambdas)).await.unwrap();
    let numbers = async || {
        let runs = store.run_list("s", &[]).await.unwrap();
        let lambda = |run: &RunRecord| run.configuration.get("lambda").unwrap().to_string();
        runs.iter().map(|run| format!("{}: {}", run.number, lambda(run))).collect::<Vec<_>>()
    };
    submit("s", &[0.1, 0.5]).await;
    // Numbers count the runs of one sweep.
    submit("other", &[0.1]).await;
    assert_eq!(numbers().await, ["0: 0.1", "1: 0.5", "2: 0.1", "3: 0.5"]);
    submit("s", &[0.5]).await;
    assert_eq!(numbers().await, ["1: 0.5", "3: 0.5"]);
    submit("s", &[0.9, 0.5]).await;
    assert_eq!(numbers().await, ["4: 0.9", "1: 0.5", "5: 0.9", "3: 0.5"], "no number is used again");

    // A run that was set aside is changed by nobody, and can be explained.
    let refused = store.runs_change("s", vec![0], Intent::Cancel).await;
    assert!(matches!(refused, Err(StoreError::NoSuchRun { number: 0 })), "{refused:?}");
    let explanation = store.run_explain("s", 0, LEASE).await.unwrap().unwrap();
    assert!(explanation.situation.set_aside);
    assert_eq!(store.run_name(explanation.run.unwrap().id).await.unwrap().as_deref(), Some("s/0"));
}

async fn runs_that_left_the_file_are_set_aside_and_come_back(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    let smaller = store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    assert_eq!(smaller, Submission { existing_runs: 2, other_runs: 2, set_aside: 2, ..STORED });
    assert_eq!(store.run_list("s", &[]).await.unwrap().len(), 2);
    register(store, "w").await;
    assert_eq!(store.run_claim(claim("w", "c", 9), LEASE).await.unwrap().len(), 2, "others are not trained");
    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    let states: Vec<_> = store.run_list("s", &[]).await.unwrap().iter().map(|run| run.state).collect();
    use RunState::{Queued, Running};
    assert_eq!(states, [Queued, Running, Queued, Running]);
}

async fn a_run_that_leaves_the_file_while_it_is_trained_is_given_back_shown_and_can_be_cancelled(
    store: &Tested,
) {
    let first = one_running(store).await;
    let second = claim_one(store, "second").await;
    let yielding = async |attempts| store.lease_renew("w", attempts, LEASE).await.unwrap().yielding;
    store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    assert_eq!(store.sweep_list().await.unwrap()[0].leaving, 2);
    assert_eq!(yielding(vec![first, second]).await, [first, second]);
    // Whoever wants it back in time has it back.
    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    assert!(yielding(vec![first, second]).await.is_empty());
    store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    assert_eq!(store.attempt_release(first).await.unwrap(), RunState::Queued);
    store.runs_change("s", vec![], Intent::Cancel).await.unwrap();
    assert_eq!(store.attempt_release(second).await.unwrap(), RunState::Cancelled);
    assert_eq!(store.sweep_list().await.unwrap()[0].leaving, 0);

    let events = store.event_list("s", 0.into(), 99).await.unwrap();
    let told = |run| events.iter().filter(move |event| event.run == run).map(|it| (it.run_number, it.state));
    use RunState::{Cancelled, Queued, Running};
    assert_eq!(told(first.run).collect::<Vec<_>>(), [(0, Running), (0, Queued)]);
    assert_eq!(told(second.run).collect::<Vec<_>>(), [(1, Running), (1, Cancelled)]);
}

async fn a_dry_run_changes_nothing_and_answers_what_would_happen(store: &Tested) {
    let dry = |lambdas: &[f64]| NewSweep {
        replacing: Replacing::DryRun,
        source: "another file".to_owned(),
        priority: 5,
        ..sweep("s", lambdas)
    };
    let first = store.sweep_submit(dry(&[0.1])).await.unwrap();
    assert_eq!(first, Submission { new_runs: 2, is_stored: false, ..STORED });
    assert!(store.sweep_list().await.unwrap().is_empty());

    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    let other = store.sweep_submit(dry(&[0.5, 0.9])).await.unwrap();
    let expected = Submission { new_runs: 2, existing_runs: 2, other_runs: 2, set_aside: 2, ..STORED };
    assert_eq!(other, Submission { is_stored: false, ..expected });
    let kept = store.sweep_fetch("s").await.unwrap().unwrap();
    assert_eq!((kept.file.source.as_str(), kept.overview.priority), ("the file of s", 0));
    assert_eq!(store.run_list("s", &[]).await.unwrap().len(), 2);
    let stored = store.sweep_submit(NewSweep { replacing: Replacing::Any, ..dry(&[0.5, 0.9]) }).await;
    assert_eq!(stored.unwrap(), expected, "as the dry run said");
}

async fn runs_with_results_are_set_aside_only_where_that_is_asked_for(store: &Tested) {
    let attempt = one_running(store).await;
    let careful = || NewSweep { replacing: Replacing::WithoutResults, ..sweep("s", &[0.9]) };
    store.metrics_append(attempt, 1, vec![point("a", 1, 0.5)], 1).await.unwrap();
    let refused = store.sweep_submit(careful()).await.unwrap();
    assert!(!refused.is_stored && refused.set_aside_with_results == 1, "{refused:?}");
    let lambda = store.run_list("s", &[]).await.unwrap()[0].configuration.get("lambda").cloned();
    assert_eq!(lambda, Some(0.5.into()), "nothing has changed");

    let smaller = store.sweep_submit(NewSweep { replacing: Replacing::Any, ..careful() }).await.unwrap();
    assert_eq!((smaller.set_aside, smaller.set_aside_with_results, smaller.is_stored), (2, 1, true));
    // Nothing is lost by that which was lost before.
    let again = store.sweep_submit(careful()).await.unwrap();
    assert_eq!(again, Submission { existing_runs: 2, other_runs: 2, ..STORED });
}

async fn an_unknown_sweep_is_none(store: &Tested) {
    assert!(store.sweep_fetch("s").await.unwrap().is_none());
    store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    assert_eq!(store.sweep_fetch("s").await.unwrap().unwrap().file.source, "the file of s");
}

async fn runs_are_listed_in_pages_of_the_plan(store: &Tested) {
    store.sweep_submit(sweep("s", &[0.1, 0.2, 0.3, 0.4])).await.unwrap();
    store.sweep_submit(sweep("other", &[0.1])).await.unwrap();
    store.runs_change("s", vec![1, 4], Intent::Cancel).await.unwrap();
    let page = async |states: &[RunState], from, most| -> Vec<u32> {
        Store::run_list(&**store, "s", states, from, most)
            .await
            .unwrap()
            .iter()
            .map(|run| run.number)
            .collect()
    };
    assert_eq!(page(&[], 0, 3).await, [0, 1, 2]);
    assert_eq!(page(&[], 3, 3).await, [3, 4, 5]);
    assert_eq!(page(&[], 6, 3).await, [6, 7]);
    assert!(page(&[], 8, 3).await.is_empty());
    assert_eq!(page(&[RunState::Queued], 1, 3).await, [2, 3, 5]);
    assert_eq!(page(&[RunState::Queued, RunState::Cancelled], 4, 9).await, [4, 5, 6, 7]);
}

async fn what_the_file_says_of_tables_is_kept_with_the_sweep(store: &Tested) {
    let sort_by = vec![Metric { name: "eval/mean_distance".to_owned(), goal: Some(Goal::Minimize) }];
    let report = Report { group_by: vec!["lambda".to_owned()], sort_by, ..Report::default() };
    let submitted = NewSweep { report: report.clone(), ..sweep("s", &[0.1]) };
    store.sweep_submit(submitted).await.unwrap();
    assert_eq!(store.sweep_fetch("s").await.unwrap().unwrap().file.report, Some(report));
    store.sweep_submit(sweep("s", &[0.1])).await.unwrap();
    assert_eq!(store.sweep_fetch("s").await.unwrap().unwrap().file.report, Some(Report::default()));
}
