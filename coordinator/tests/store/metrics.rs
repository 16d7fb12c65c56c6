//! Points are stored once each, and summarised as they come.

use acai_coordinator::store::{AttemptRef, Checkpoint, Point, StoreError};
use acai_sweep::results::RunResult;

use crate::{LEASE, Tested, claim_one, contract, one_running, point, upload};

contract!(
    batches_are_taken_in_order_and_once_however_they_are_cut,
    a_summary_is_that_of_all_points,
    a_later_attempt_replays_without_doubling_and_its_differences_win,
    minus_zero_is_stored_as_zero,
    a_fenced_attempt_writes_nothing,
    progress_goes_back_only_to_where_the_next_attempt_begins,
    a_step_that_the_run_does_not_have_changes_nothing,
    a_mean_has_the_same_bits_however_its_points_came,
    points_as_large_as_numbers_get_are_taken,
    tables_are_made_of_completed_runs_and_of_all_bits_of_their_values,
    a_step_that_is_reported_twice_has_the_last_value_in_one_batch_as_in_two,
    values_are_those_of_the_step_where_the_first_metric_that_a_run_has_is_best,
    values_are_the_last_ones_up_to_a_step,
    values_at_the_end_are_those_of_metrics_that_have_one_at_the_last_step,
);

fn curve(steps: std::ops::Range<u64>) -> Vec<Point> {
    steps.map(|step| point("train/loss", step, 1.0 / step as f64)).collect()
}

/// (last, min, max, mean) of a metric, of each run that has any.
async fn summaries(store: &Tested, name: &str) -> Vec<(f64, f64, f64, f64)> {
    let mut summaries = Vec::new();
    for run in store.run_list("s", &[]).await.unwrap() {
        let details = store.run_details("s", run.number).await.unwrap().unwrap();
        let of = details.summaries.get(name).map(|of| (of.last, of.min, of.max, of.mean));
        summaries.extend(of);
    }
    summaries
}

/// (last, min, max, mean) of a metric of the only run that has any.
async fn summary(store: &Tested, name: &str) -> (f64, f64, f64, f64) {
    summaries(store, name).await[0]
}

async fn batches_are_taken_in_order_and_once_however_they_are_cut(store: &Tested) {
    let attempt = one_running(store).await;
    let append = async |first_seq, points| store.metrics_append(attempt, first_seq, points, 9).await.unwrap();
    assert_eq!(append(2, curve(2..4)).await, 0, "a gap is not taken");
    assert_eq!(append(1, curve(1..4)).await, 3);
    assert_eq!(append(1, curve(1..4)).await, 3, "a repeated batch is known");
    assert_eq!(append(3, curve(3..6)).await, 5, "an overlap is trimmed");
    assert_eq!(append(6, vec![]).await, 5, "no points still report progress");
    let (last, min, max, mean) = summary(store, "train/loss").await;
    assert_eq!((last, min, max), (0.2, 0.2, 1.0));
    assert!((mean - (1.0 + 0.5 + 1.0 / 3.0 + 0.25 + 0.2) / 5.0).abs() < 1e-15, "{mean}");
    assert_eq!(store.run_list("s", &[]).await.unwrap()[0].step, 9);
}

async fn a_summary_is_that_of_all_points(store: &Tested) {
    let attempt = one_running(store).await;
    let batch = vec![point("a", 10, 3.0), point("b", 10, -1.0), point("a", 20, 1.0)];
    store.metrics_append(attempt, 1, batch, 20).await.unwrap();
    store.metrics_append(attempt, 4, vec![point("a", 30, 2.0)], 30).await.unwrap();
    assert_eq!(summary(store, "a").await, (2.0, 1.0, 3.0, 2.0));
    assert_eq!(summary(store, "b").await, (-1.0, -1.0, -1.0, -1.0));
}

async fn a_later_attempt_replays_without_doubling_and_its_differences_win(store: &Tested) {
    let first = one_running(store).await;
    store.metrics_append(first, 1, curve(1..5), 4).await.unwrap();
    store.attempt_release(first).await.unwrap();
    let second = claim_one(store, "second").await;
    assert_eq!((second.run, second.number), (first.run, 2));
    let mut replay = curve(1..7);
    replay[1].value = 7.0;
    assert_eq!(store.metrics_append(second, 1, replay, 6).await.unwrap(), 6, "numbers count per attempt");
    let (last, min, max, mean) = summary(store, "train/loss").await;
    assert_eq!((last, min, max), (1.0 / 6.0, 1.0 / 6.0, 7.0));
    assert!((mean - (1.0 + 7.0 + 1.0 / 3.0 + 0.25 + 0.2 + 1.0 / 6.0) / 6.0).abs() < 1e-15, "{mean}");
}

async fn minus_zero_is_stored_as_zero(store: &Tested) {
    let first = one_running(store).await;
    store.metrics_append(first, 1, vec![point("a", 1, -0.0)], 1).await.unwrap();
    assert_eq!(summary(store, "a").await.0.to_bits(), 0.0f64.to_bits());
    store.attempt_release(first).await.unwrap();
    let second = claim_one(store, "second").await;
    store.metrics_append(second, 1, vec![point("a", 1, 0.0)], 1).await.unwrap();
    let overview = store.sweep_list().await.unwrap().remove(0);
    assert_eq!(overview.replay_mismatches, 0, "both zeros are one value");
}

async fn a_fenced_attempt_writes_nothing(store: &Tested) {
    let zombie = one_running(store).await;
    store.expire_at(LEASE + 1).await.unwrap();
    let heir = claim_one(store, "second").await;
    assert_eq!(heir.run, zombie.run);
    let refused = store.metrics_append(zombie, 1, curve(1..9), 8).await;
    assert!(matches!(refused, Err(StoreError::Fenced(attempt)) if attempt == zombie), "{refused:?}");
    assert_eq!(summaries(store, "train/loss").await, []);
    assert_eq!(store.run_list("s", &[]).await.unwrap()[0].step, 0);
}

async fn progress_goes_back_only_to_where_the_next_attempt_begins(store: &Tested) {
    let progress = async || store.run_list("s", &[]).await.unwrap()[0].step;
    let first = one_running(store).await;
    store.metrics_append(first, 1, curve(1..9), 8).await.unwrap();
    store.metrics_append(first, 1, curve(1..5), 4).await.unwrap();
    assert_eq!(progress().await, 8, "a report that comes late");
    assert!(upload(store, &"00".repeat(32), "", 1).await);
    let checkpoint = Checkpoint { step: 5, sha256: "00".repeat(32), bytes: 1 };
    store.checkpoint_commit(first, checkpoint, 5).await.unwrap();
    store.attempt_release(first).await.unwrap();
    assert_eq!(progress().await, 8, "what the last attempt did");
    claim_one(store, "second").await;
    assert_eq!(progress().await, 5, "the checkpoint that the new one goes on from");
}

async fn a_step_that_the_run_does_not_have_changes_nothing(store: &Tested) {
    let attempt = one_running(store).await;
    assert!(upload(store, &"00".repeat(32), "", 1).await);
    let reported = store.metrics_append(attempt, 1, curve(1..3), 101).await;
    let checkpoint = Checkpoint { step: 101, sha256: "00".repeat(32), bytes: 1 };
    let committed = store.checkpoint_commit(attempt, checkpoint, 0).await;
    for refused in [reported.map(drop), committed] {
        assert!(
            matches!(&refused, Err(StoreError::Conflict(why)) if why.contains("100 steps")),
            "{refused:?}"
        );
    }
    assert_eq!(store.run_list("s", &[]).await.unwrap()[0].step, 0);
    assert_eq!(summaries(store, "train/loss").await, []);
}

async fn a_mean_has_the_same_bits_however_its_points_came(store: &Tested) {
    // Their sum has other last digits when parts of it are added first.
    let points: Vec<Point> = (1..=60).map(|step| point("a", step, 0.1 * step as f64 + 1e-3)).collect();
    let (one, other) = (one_running(store).await, claim_one(store, "second").await);
    store.metrics_append(one, 1, points.clone(), 60).await.unwrap();
    for (seq, batch) in [(1, &points[..7]), (8, &points[7..40]), (41, &points[40..])] {
        store.metrics_append(other, seq, batch.to_vec(), 60).await.unwrap();
    }
    // And made again from the points, since one of them differs for a while.
    let mut replayed = points.clone();
    replayed[3].value = 7.0;
    store.attempt_release(other).await.unwrap();
    let heir = claim_one(store, "third").await;
    assert_eq!(heir.run, other.run);
    store.metrics_append(heir, 1, replayed, 60).await.unwrap();
    store.metrics_append(heir, 61, vec![points[3].clone()], 60).await.unwrap();
    let [one, other] = summaries(store, "a").await[..] else { panic!("both have a mean") };
    assert_eq!(one.3.to_bits(), other.3.to_bits());
}

async fn points_as_large_as_numbers_get_are_taken(store: &Tested) {
    let attempt = one_running(store).await;
    for (seq, value) in [(1, 1.7e308), (2, 1.7e308), (3, -1.7e308), (4, -1.7e308), (5, 1.0)] {
        let taken = store.metrics_append(attempt, seq, vec![point("a", seq, value)], seq).await;
        assert_eq!(taken.unwrap(), seq);
    }
    let (last, min, max, mean) = summary(store, "a").await;
    assert_eq!((last, min, max), (1.0, -1.7e308, 1.7e308));
    assert!(mean.is_finite(), "{mean}");
}

async fn tables_are_made_of_completed_runs_and_of_all_bits_of_their_values(store: &Tested) {
    let attempt = one_running(store).await;
    let special = [f64::MIN_POSITIVE, f64::from_bits(1), f64::MAX, f64::MIN, 0.1, 1.0 / 3.0];
    // Numbers of all magnitudes and signs: multiples of an odd number are spread over all bits.
    let spread = (1..=1000u64).map(|number| f64::from_bits(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    let values: Vec<f64> = special.into_iter().chain(spread).filter(|value| value.is_finite()).collect();
    let points = (1..).zip(&values).map(|(place, value)| point(&format!("metric \"{place}\""), 1, *value));
    let last_seq = store.metrics_append(attempt, 1, points.collect(), 1).await.unwrap();
    assert!(store.result_list("s").await.unwrap().iter().all(|run| run.summaries.is_empty()));
    store.attempt_complete(attempt, 100, last_seq).await.unwrap();
    let results = store.result_list("s").await.unwrap();
    assert_eq!((results.len(), results[0].summaries.len()), (2, values.len()));
    for (place, value) in (1..).zip(&values) {
        let of = results[0].summaries[&format!("metric \"{place}\"")];
        for read in [of.last, of.min, of.max, of.mean] {
            assert_eq!(read.to_bits(), value.to_bits(), "{value:e} is read as {read:e}");
        }
    }
}

async fn a_step_that_is_reported_twice_has_the_last_value_in_one_batch_as_in_two(store: &Tested) {
    let (one, two) = (one_running(store).await, claim_one(store, "second").await);
    let points = [point("a", 1, 1.0), point("a", 1, 2.0), point("a", 2, 4.0), point("a", 1, 3.0)];
    store.metrics_append(one, 1, points.to_vec(), 2).await.unwrap();
    for (seq, point) in (1..).zip(&points) {
        store.metrics_append(two, seq, vec![point.clone()], 2).await.unwrap();
    }
    assert_eq!(summaries(store, "a").await, [(4.0, 3.0, 4.0, 3.5); 2]);
    assert_eq!(store.sweep_list().await.unwrap()[0].replay_mismatches, 4);
}

/// Evaluations of a run at three steps, and a loss at the second.
async fn evaluated(store: &Tested) -> AttemptRef {
    let attempt = one_running(store).await;
    let points = [
        point("eval/distance", 10, 3.0),
        point("eval/accuracy", 10, 0.1),
        point("eval/distance", 20, 1.0),
        point("eval/accuracy", 20, 0.2),
        point("train/loss", 20, 7.0),
        point("eval/distance", 30, 1.0),
        point("eval/accuracy", 30, 0.3),
    ];
    store.metrics_append(attempt, 1, points.to_vec(), 30).await.unwrap();
    attempt
}

/// The values of each run's metrics.
fn values(results: &[RunResult]) -> Vec<Vec<(&str, f64)>> {
    results
        .iter()
        .map(|run| run.summaries.iter().map(|(name, of)| (name.as_str(), of.last)).collect())
        .collect()
}

async fn values_are_those_of_the_step_where_the_first_metric_that_a_run_has_is_best(store: &Tested) {
    evaluated(store).await;
    let best = async |preferred: &[(&str, i8)]| {
        let preferred: Vec<_> = preferred.iter().map(|&(name, sign)| (name.to_owned(), sign)).collect();
        store.result_list_at_best("s", &preferred).await.unwrap()
    };
    // Of two steps as good as each other the first one counts. The sweep's other run has no points.
    let second = vec![("eval/accuracy", 0.2), ("eval/distance", 1.0), ("train/loss", 7.0)];
    assert_eq!(values(&best(&[("eval/distance", 1)]).await), [second.clone(), vec![]]);
    let third = vec![("eval/accuracy", 0.3), ("eval/distance", 1.0)];
    assert_eq!(values(&best(&[("eval/unknown", 1), ("eval/accuracy", -1)]).await), [third, vec![]]);
    assert_eq!(values(&best(&[("train/loss", 1), ("eval/accuracy", -1)]).await), [second, vec![]]);
    assert_eq!(values(&best(&[("eval/unknown", 1)]).await), [vec![], vec![]]);
}

async fn values_at_the_end_are_those_of_metrics_that_have_one_at_the_last_step(store: &Tested) {
    let attempt = evaluated(store).await;
    let at_end = async || store.result_list_at_end("s").await.unwrap();
    assert_eq!(values(&at_end().await), [vec![], vec![]]);
    // Its runs have 100 steps.
    let points = [point("eval/distance", 99, 0.5), point("eval/accuracy", 100, 0.4)];
    store.metrics_append(attempt, 7, points.to_vec(), 100).await.unwrap();
    assert_eq!(values(&at_end().await), [vec![("eval/accuracy", 0.4)], vec![]]);
}

async fn values_are_the_last_ones_up_to_a_step(store: &Tested) {
    evaluated(store).await;
    let at = async |step| store.result_list_at_step("s", step).await.unwrap();
    let second = vec![("eval/accuracy", 0.2), ("eval/distance", 1.0), ("train/loss", 7.0)];
    assert_eq!(values(&at(29).await), [second, vec![]]);
    let third = vec![("eval/accuracy", 0.3), ("eval/distance", 1.0), ("train/loss", 7.0)];
    assert_eq!(values(&at(u64::MAX).await), [third, vec![]]);
    assert_eq!(values(&at(9).await), [vec![], vec![]]);
}
