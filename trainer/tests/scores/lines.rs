//! The scores of line interpolations are those of the authors' evaluation.

use std::f64::consts::{PI, TAU};

use acai_trainer::data::lines::draw;
use acai_trainer::score::lines::{LineJudge, LineScores};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

const START: f64 = 5.0 * PI / 7.0;
const END: f64 = 3.0 * PI / 2.0;
/// Cases in the order in which the golden file's `all_five` scores them together.
const CASES: [&str; 5] = ["perfect", "data_space", "abrupt", "the_long_way_round", "no_movement"];

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/line_eval_golden.json")).unwrap()
}

/// `[16, 32, 32]`: lines at angles spaced evenly from `start` to `end`.
fn lines(start: f64, end: f64) -> Tensor {
    let pixels: Vec<f64> = (0..16).flat_map(|i| draw(start + (end - start) * f64::from(i) / 15.0)).collect();
    Tensor::from_slice(&pixels).view([16, 32, 32])
}

/// `[1, 16, 32, 32]`, built as the golden file's `how` says.
fn interpolation(case: &str) -> Tensor {
    let (at_start, at_end) = (lines(START, START), lines(END, END));
    let images = match case {
        "perfect" => lines(START, END),
        "data_space" => {
            let w = Tensor::linspace(1.0, 0.0, 16, (Kind::Double, Device::Cpu)).view([16, 1, 1]);
            &w * at_start + (1.0 - &w) * at_end
        }
        "abrupt" => Tensor::cat(&[at_start.narrow(0, 0, 8), at_end.narrow(0, 0, 8)], 0),
        "the_long_way_round" => lines(START, END - TAU),
        "no_movement" => at_start,
        _ => panic!("no such case: {case}"),
    };
    images.unsqueeze(0)
}

fn judge() -> LineJudge {
    LineJudge::new()
}

#[track_caller]
fn assert_close(scores: &LineScores, golden: &Value) {
    // The golden figures went through f32.
    let distance = golden[0].as_f64().unwrap();
    assert!((scores.mean_distance - distance).abs() < 1e-9, "{scores:?}, golden {golden}");
    match (scores.smoothness, golden[1].as_f64()) {
        (Some(ours), Some(theirs)) => assert!((ours - theirs).abs() < 1e-7, "{scores:?}, golden {golden}"),
        (ours, theirs) => assert_eq!(ours, theirs),
    }
}

#[test]
fn each_golden_interpolation_is_scored_as_the_authors_do() {
    let (judge, golden) = (judge(), golden());
    for case in CASES {
        let scores = judge.score(&interpolation(case));
        assert_close(&scores, &golden["cases"][case]);
        assert_eq!(scores.nan, usize::from(case == "no_movement"), "{case}");
    }
}

#[test]
fn an_interpolation_without_smoothness_still_counts_in_the_mean() {
    let together = Tensor::cat(&CASES.map(interpolation), 0);
    let scores = judge().score(&together);
    assert_close(&scores, &golden()["all_five"]);
    assert_eq!(scores.nan, 1);
}

#[test]
fn images_without_direction_make_the_distance_nan_and_spoil_only_their_own_smoothness() {
    let judge = judge();
    let perfect = judge.score(&interpolation("perfect")).smoothness.unwrap();
    for bad in [f64::NAN, f64::INFINITY, 0.0] {
        let spoilt = interpolation("perfect");
        let _ = spoilt.select(1, 7).fill_(bad);
        let scores = judge.score(&Tensor::cat(&[spoilt, interpolation("perfect")], 0));
        assert!(scores.mean_distance.is_nan());
        assert_eq!((scores.smoothness, scores.nan), (Some(perfect / 2.0), 1), "{bad}");
    }
}

#[test]
fn more_images_than_fit_in_one_chunk_are_all_scored() {
    let judge = judge();
    let many = Tensor::cat(&[interpolation("perfect").repeat([19, 1, 1, 1]), interpolation("abrupt")], 0);
    let (perfect, abrupt) = (judge.score(&interpolation("perfect")), judge.score(&interpolation("abrupt")));
    let mean = |score: fn(&LineScores) -> f64| (19.0 * score(&perfect) + score(&abrupt)) / 20.0;
    let scores = judge.score(&many);
    assert!((scores.mean_distance - mean(|s| s.mean_distance)).abs() < 1e-12);
    assert!((scores.smoothness.unwrap() - mean(|s| s.smoothness.unwrap())).abs() < 1e-12);
}

#[test]
fn no_line_is_nearer_to_an_image_than_the_one_that_is_found() {
    let angles: Vec<f64> = (0..10_000).map(|line| f64::from(line) * TAU / 10_000.0).collect();
    let pixels: Vec<f64> = angles.iter().flat_map(|&angle| draw(angle)).collect();
    let all = Tensor::from_slice(&pixels).view([10_000, 1024]);
    // Between two lines an image is about as near to many of both; noise makes it near to none.
    tch::manual_seed(0);
    let mixed = [0.0, 0.02, 0.2, 0.5]
        .map(|share: f64| interpolation("perfect") * (1.0 - share) + share * lines(0.3, 9.0));
    let images = Tensor::cat(&mixed, 0);
    let images = &images + Tensor::randn_like(&images) * 0.05;
    let length = |vectors: &Tensor| vectors.norm_scalaropt_dim(2, 1, true);
    let flat = images.view([64, 1024]);
    let similarities = (&flat / length(&flat)).matmul(&(&all / length(&all)).tr());
    let (nearest, _) = similarities.max_dim(1, false);
    let expected = 1.0 - nearest.mean(Kind::Double).double_value(&[]);
    let found = judge().score(&images).mean_distance;
    assert!((found - expected).abs() < 1e-14, "{found}, expected {expected}");
}

#[test]
fn accuracy_is_the_percentage_of_largest_logits_at_the_label() {
    let logits = Tensor::from_slice2(&[[0.1, 0.9], [2.0, -1.0], [0.0, 5.0], [-3.0, -2.0]]);
    let labels = Tensor::from_slice(&[1i64, 0, 0, 1]);
    assert_eq!(acai_trainer::score::accuracy(&logits, &labels), 75.0);
}
