//! Points are read back run by run, in parts of any size.

use acai_coordinator::lease::LeaseTerms;
use acai_coordinator::store::{AttemptRef, Point};
use acai_coordinator::use_cases::{CurvePart, CurveRequest, UseCaseError, UseCases};
use acai_sweep::curve::CurvePoint;
use tokio_stream::StreamExt;

use crate::{LEASE, Tested, claim, contract, point, register, sweep};

contract!(
    curves_are_those_of_all_runs_in_the_order_of_their_numbers,
    a_curve_longer_than_a_part_comes_whole,
    a_thinned_curve_keeps_its_peak,
    a_curve_is_thinned_to_its_last_point,
    a_reader_goes_on_from_a_step,
    runs_can_be_named_and_those_that_are_not_there_are_an_error,
    a_metric_that_nobody_has_reported_is_an_error_that_names_the_others,
);

const METRIC: &str = "train/loss";

fn points(steps: std::ops::RangeInclusive<u64>) -> Vec<Point> {
    steps.map(|step| point(METRIC, step, 1.0 / step as f64)).collect()
}

/// The four runs of a sweep, of which numbers 0, 1 and 3 are trained.
async fn three_of_four_running(store: &Tested) -> Vec<AttemptRef> {
    store.sweep_submit(sweep("s", &[0.1, 0.5])).await.unwrap();
    register(store, "w").await;
    let mut held = store.run_claim(claim("w", "c", 4), LEASE).await.unwrap();
    held.retain(|grant| grant.number != 2);
    held.iter().map(|grant| grant.attempt).collect()
}

async fn append(store: &Tested, attempt: AttemptRef, points: Vec<Point>) {
    // As workers do: a thousand at a time.
    for (number, points) in (0..).zip(points.chunks(1000)) {
        store.metrics_append(attempt, number * 1000 + 1, points.to_vec(), 1).await.unwrap();
    }
}

fn everything() -> CurveRequest {
    CurveRequest { numbers: Vec::new(), metric: METRIC.to_owned(), from_step: 0, most: None }
}

async fn parts(store: &Tested, request: CurveRequest) -> Result<Vec<CurvePart>, UseCaseError> {
    let use_cases = UseCases::new(store.store.clone(), LeaseTerms::default());
    use_cases.curves("s", request).await?.collect().await
}

/// Number and points of each run, its parts put together.
async fn curves(store: &Tested, request: CurveRequest) -> Vec<(u32, Vec<CurvePoint>)> {
    let mut curves: Vec<(u32, Vec<CurvePoint>)> = Vec::new();
    let mut is_whole = true;
    for part in parts(store, request).await.unwrap() {
        match curves.last_mut() {
            Some((number, points)) if !is_whole => {
                assert_eq!(*number, part.run.number, "a curve is whole before the next one begins");
                points.extend(part.points);
            }
            _ => curves.push((part.run.number, part.points)),
        }
        is_whole = part.is_last;
    }
    assert!(is_whole);
    curves
}

fn steps(curve: &[CurvePoint]) -> Vec<u64> {
    curve.iter().map(|point| point.step).collect()
}

async fn curves_are_those_of_all_runs_in_the_order_of_their_numbers(store: &Tested) {
    let [first, second, fourth] = three_of_four_running(store).await.try_into().unwrap();
    append(store, fourth, points(1..=2)).await;
    append(store, first, points(1..=3)).await;
    append(store, second, vec![point("train/other", 1, 1.0)]).await;
    let curves = curves(store, everything()).await;
    let read: Vec<(u32, Vec<u64>)> = curves.iter().map(|(number, curve)| (*number, steps(curve))).collect();
    assert_eq!(read, [(0, vec![1, 2, 3]), (1, vec![]), (2, vec![]), (3, vec![1, 2])]);
    assert_eq!(curves[0].1[1], CurvePoint { step: 2, value: 0.5 });
}

async fn a_curve_longer_than_a_part_comes_whole(store: &Tested) {
    let [first, second, fourth] = three_of_four_running(store).await.try_into().unwrap();
    append(store, first, points(1..=10_000)).await;
    append(store, second, points(1..=20_001)).await;
    append(store, fourth, points(1..=1)).await;
    let lengths: Vec<usize> =
        curves(store, everything()).await.iter().map(|(_, curve)| curve.len()).collect();
    assert_eq!(lengths, [10_000, 20_001, 0, 1]);
}

async fn a_thinned_curve_keeps_its_peak(store: &Tested) {
    let [first, second, _] = three_of_four_running(store).await.try_into().unwrap();
    let mut peaked = points(1..=10_500);
    peaked[10_200].value = 7.0;
    append(store, first, peaked).await;
    append(store, second, points(1..=50)).await;
    let request = CurveRequest { most: Some(50), ..everything() };
    let parts = parts(store, request).await.unwrap();
    assert_eq!(parts.iter().map(|part| part.is_thinned).collect::<Vec<_>>(), [true, false, false, false]);
    assert!(parts[0].points.len() <= 50 && parts[0].points.len() > 25, "{}", parts[0].points.len());
    assert!(parts[0].points.contains(&CurvePoint { step: 10_201, value: 7.0 }));
    assert_eq!(parts[1].points.len(), 50);
}

async fn a_curve_is_thinned_to_its_last_point(store: &Tested) {
    let [first, second, _] = three_of_four_running(store).await.try_into().unwrap();
    append(store, first, points(1..=2000)).await;
    append(store, second, points(1..=1)).await;
    let last = CurveRequest { most: Some(1), ..everything() };
    let parts = parts(store, last.clone()).await.unwrap();
    let read: Vec<_> = parts.iter().map(|part| (part.points.clone(), part.is_thinned)).collect();
    let point = |step: u64| vec![CurvePoint { step, value: 1.0 / step as f64 }];
    assert_eq!(read, [(point(2000), true), (point(1), false), (vec![], false), (vec![], false)]);
    let later = curves(store, CurveRequest { from_step: 2, ..last }).await;
    assert_eq!(later.iter().map(|(_, curve)| curve.len()).collect::<Vec<_>>(), [1, 0, 0, 0]);
}

async fn a_reader_goes_on_from_a_step(store: &Tested) {
    let [first, second, _] = three_of_four_running(store).await.try_into().unwrap();
    append(store, first, points(1..=5)).await;
    append(store, second, points(1..=3)).await;
    let request = CurveRequest { from_step: 4, ..everything() };
    let curves = curves(store, request).await;
    assert_eq!(steps(&curves[0].1), [4, 5]);
    assert!(curves[1].1.is_empty());
    let beyond = CurveRequest { from_step: u64::MAX, most: Some(4), ..everything() };
    assert!(self::curves(store, beyond).await.iter().all(|(_, curve)| curve.is_empty()));
}

async fn runs_can_be_named_and_those_that_are_not_there_are_an_error(store: &Tested) {
    let [first, _, _] = three_of_four_running(store).await.try_into().unwrap();
    append(store, first, points(1..=1)).await;
    let named = |numbers: &[u32]| CurveRequest { numbers: numbers.to_vec(), ..everything() };
    let read = curves(store, named(&[3, 0, 3])).await;
    assert_eq!(read.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 3]);
    let refused = parts(store, named(&[0, 4])).await;
    assert!(matches!(refused, Err(UseCaseError::NoSuchRun { number: 4, .. })), "{refused:?}");
    // One that was set aside has its points still.
    store.sweep_submit(sweep("s", &[0.5])).await.unwrap();
    let read: Vec<u32> = curves(store, everything()).await.iter().map(|(number, _)| *number).collect();
    assert_eq!(read, [1, 3]);
    assert_eq!(steps(&curves(store, named(&[0])).await[0].1), [1]);
}

async fn a_metric_that_nobody_has_reported_is_an_error_that_names_the_others(store: &Tested) {
    let [first, _, _] = three_of_four_running(store).await.try_into().unwrap();
    assert_eq!(curves(store, everything()).await.len(), 4, "nobody has reported anything yet");
    append(store, first, points(1..=1)).await;
    let asked = |metric: &str| CurveRequest { metric: metric.to_owned(), ..everything() };
    for (metric, hint) in [("loss", "did you mean `train/loss`?"), ("eval/x", "there are train/loss")] {
        let refused = parts(store, asked(metric)).await.unwrap_err().to_string();
        assert!(refused.contains(hint), "{refused}");
    }
    let refused = parts(store, CurveRequest { most: Some(3), ..everything() }).await.unwrap_err().to_string();
    assert!(refused.contains("4 points or more"), "{refused}");
}
