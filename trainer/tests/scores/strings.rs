//! Scores of interpolations of strings: those of an independent implementation, and what they must be for ways whose quality
//! is known.

use acai_datasets::{String32, typeover};
use acai_trainer::data::strings;
use acai_trainer::medium::most_likely;
use acai_trainer::score::strings::{CurveJudge, StringScores};
use serde_json::Value;
use tch::{Kind, Tensor};

const STEPS: usize = 16;
const PERIOD: f64 = 256.0;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/strings_scores_golden.json")).unwrap()
}

fn judge() -> CurveJudge {
    CurveJudge::new(&most_likely(&strings::examples(&typeover::strings())))
}

/// The strings of the curve, one-hot: `[256, 32, 1, 32]`.
fn corners() -> Tensor {
    strings::examples(&typeover::strings()).to_kind(Kind::Double) / 32_f64.sqrt()
}

/// Points of the polygon, `[positions, 32, 1, 32]`.
fn points(positions: &[f64]) -> Tensor {
    let corners = corners();
    let point = |position: &f64| {
        let (corner, share) = (position.rem_euclid(PERIOD).floor(), position.rem_euclid(1.0));
        let corner = corner as i64;
        corners.get(corner) * (1.0 - share) + corners.get((corner + 1) % 256) * share
    };
    Tensor::stack(&positions.iter().map(point).collect::<Vec<_>>(), 0)
}

/// Scores of one way whose examples are points of the polygon.
fn score(positions: &[f64]) -> StringScores {
    judge().score(&points(positions).unsqueeze(0))
}

/// The way that the golden file's formula gives: `[1, 16, 32, 1, 32]`.
fn golden_way(strings: &[String32], k: usize) -> Tensor {
    let mut values = vec![0.0; STEPS * 32 * 32];
    for i in 0..STEPS {
        let string = &strings[(37 * k + 5 * k * i) % 256];
        for l in 0..32 {
            let wave = |v: usize| {
                (12.0
                    * (0.37 * ((k + 1) * (i + 1)) as f64 + 1.7 * l as f64 + 0.9 * (v * (l + 1)) as f64).sin())
                .exp()
            };
            let sum: f64 = (0..32).map(wave).sum();
            let w = if (l * (i + k)).is_multiple_of(5) { 0.05 } else { 0.5 };
            for v in 0..32 {
                let hit = if usize::from(string[l]) == v { 1.0 } else { 0.0 };
                values[(i * 32 + v) * 32 + l] = w * hit + (1.0 - w) * wave(v) / sum;
            }
        }
    }
    Tensor::from_slice(&values).view([1, STEPS as i64, 32, 1, 32])
}

#[track_caller]
fn assert_equal(scores: &StringScores, golden: &Value) {
    let close = |ours: f64, name: &str| {
        let theirs = golden[name].as_f64().unwrap();
        assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{name}: {ours}, golden {theirs}");
    };
    close(scores.mean_distance, "distance");
    close(scores.smoothness.unwrap(), "smoothness");
    close(scores.median_smoothness.unwrap(), "median_smoothness");
    close(scores.valid, "valid_inner");
    close(scores.edit, "edit");
    assert_eq!(scores.nan as u64, golden["nan"].as_u64().unwrap());
}

#[test]
fn ways_that_a_formula_gives_have_the_golden_scores() {
    let (judge, golden, strings) = (judge(), golden(), typeover::strings());
    let ways: Vec<Tensor> = (0..8).map(|k| golden_way(&strings, k)).collect();
    for (way, golden) in ways.iter().zip(golden["scores"].as_array().unwrap()) {
        assert_equal(&judge.score(way), golden);
    }
    assert_equal(&judge.score(&Tensor::cat(&ways, 0)), &golden["all"]);
}

#[test]
fn points_of_the_polygon_have_no_distance_at_any_scale_and_a_steady_pace_is_smooth() {
    for (start, step) in [(3.25, 1.7), (250.5, 0.9), (20.0, -2.3)] {
        let positions: Vec<f64> = (0..STEPS).map(|i| start + step * i as f64).collect();
        let points = points(&positions).unsqueeze(0);
        for scale in [1e-3, 1.0, 32.0] {
            let scores = judge().score(&(&points * scale));
            assert!(scores.mean_distance.abs() < 1e-12, "{scores:?}");
            assert!(scores.smoothness.unwrap().abs() < 1e-9, "{scores:?}");
            assert_eq!((scores.valid, scores.edit, scores.nan), (100.0, 0.0, 0), "{scores:?}");
        }
    }
}

#[test]
fn a_jump_is_as_rough_as_can_be_and_a_way_without_movement_has_no_smoothness() {
    let jump: Vec<f64> = (0..STEPS).map(|i| if i < 8 { 10.0 } else { 40.0 }).collect();
    let scores = score(&jump);
    assert!((scores.smoothness.unwrap() - (1.0 - 1.0 / 15.0)).abs() < 1e-9, "{scores:?}");
    let scores = score(&[77.0; STEPS]);
    assert_eq!((scores.smoothness, scores.median_smoothness, scores.nan), (None, None, 1));
}

#[test]
fn the_distance_is_that_of_the_nearest_of_many_points_of_the_polygon() {
    let way = golden_way(&typeover::strings(), 3);
    let scores = judge().score(&way);
    let table =
        points(&(0..256 * 200).map(|point| f64::from(point) / 200.0).collect::<Vec<_>>()).flatten(1, -1);
    let table = &table / table.norm_scalaropt_dim(2, [1].as_slice(), true);
    let examples = way.squeeze_dim(0).flatten(1, -1);
    let cosines = examples.matmul(&table.tr()) / examples.norm_scalaropt_dim(2, [1].as_slice(), true);
    let (nearest, _) = cosines.max_dim(1, false);
    let by_table = 1.0 - nearest.mean(Kind::Double).double_value(&[]);
    let less = by_table - scores.mean_distance;
    assert!((0.0..1e-5).contains(&less), "{by_table} by the table, {scores:?}");
}

#[test]
fn an_example_without_direction_makes_the_distance_nan_and_spoils_only_its_own_smoothness() {
    let steady: Vec<f64> = (0..STEPS).map(|i| i as f64).collect();
    for bad in [f64::NAN, f64::INFINITY, 0.0] {
        let spoilt = points(&steady);
        let _ = spoilt.get(5).fill_(bad);
        let scores = judge().score(&Tensor::stack(&[spoilt, points(&steady)], 0));
        assert!(scores.mean_distance.is_nan(), "{bad}: {scores:?}");
        assert_eq!(scores.nan, 1, "{bad}: {scores:?}");
        assert!(scores.median_smoothness.unwrap().abs() < 1e-9, "{bad}: {scores:?}");
    }
}
