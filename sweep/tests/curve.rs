//! Curves are thinned without losing what they show.

use acai_sweep::curve::{CurvePoint, MeanAt, Thinner, means};
use proptest::prelude::*;

fn thinned(curve: &[CurvePoint], most: usize) -> Vec<CurvePoint> {
    let last = curve.last().map_or(0, |point| point.step);
    let mut thinner = Thinner::new(&(0..=last), most);
    curve.iter().for_each(|&point| thinner.push(point));
    thinner.finish()
}

fn curve() -> impl Strategy<Value = Vec<CurvePoint>> {
    let gaps_and_values = prop::collection::vec((1..1000u64, -1e3..1e3), 0..300);
    gaps_and_values.prop_map(|points| {
        let step = |step: &mut u64, (gap, value)| {
            *step += gap;
            Some(CurvePoint { step: *step, value })
        };
        points.into_iter().scan(0, step).collect()
    })
}

proptest! {
    #[test]
    fn a_thinned_curve_keeps_its_ends_and_its_extremes_and_has_no_more_points_than_asked_for(
        curve in curve(),
        most in 0..400usize,
    ) {
        let thinned = thinned(&curve, most);
        prop_assert!(thinned.len() <= most.max(Thinner::FEWEST));
        prop_assert!(thinned.is_sorted_by(|one, next| one.step < next.step));
        prop_assert!(thinned.iter().all(|point| curve.contains(point)), "no point is made up");
        prop_assert_eq!(thinned.first(), curve.first());
        prop_assert_eq!(thinned.last(), curve.last());
        let extremes = |points: &[CurvePoint]| {
            let values = points.iter().map(|point| point.value);
            (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max))
        };
        prop_assert_eq!(extremes(&thinned), extremes(&curve));
    }
}

#[test]
fn a_peak_between_thousands_of_points_is_kept_at_its_step() {
    let value = |step| if step == 777_777 { 9.0 } else { 1.0 / step as f64 };
    let curve: Vec<CurvePoint> =
        (1..=1_000_000).map(|step| CurvePoint { step, value: value(step) }).collect();
    let thinned = thinned(&curve, 100);
    assert!(thinned.len() <= 100 && thinned.len() > 50, "{}", thinned.len());
    assert!(thinned.contains(&CurvePoint { step: 777_777, value: 9.0 }));
}

#[test]
fn points_that_arrive_while_a_curve_is_read_are_taken_in() {
    let mut thinner = Thinner::new(&(0..=10), 6);
    (0..1000u32).for_each(|step| thinner.push(CurvePoint { step: step.into(), value: step.into() }));
    let thinned = thinner.finish();
    assert!(thinned.len() <= 6, "{thinned:?}");
    assert_eq!(thinned.last(), Some(&CurvePoint { step: 999, value: 999.0 }));
}

#[test]
fn means_say_how_many_curves_have_a_point_at_each_step() {
    let curve = |points: &[(u64, f64)]| -> Vec<CurvePoint> {
        points.iter().map(|&(step, value)| CurvePoint { step, value }).collect()
    };
    let means = means(&[curve(&[(1, 1.0), (2, 4.0)]), curve(&[(2, 2.0), (3, 9.0)]), curve(&[])]);
    let at = |step, n, mean, std| MeanAt { step, n, mean, std };
    assert_eq!(means, [at(1, 1, 1.0, 0.0), at(2, 2, 3.0, 1.0), at(3, 1, 9.0, 0.0)]);
}
