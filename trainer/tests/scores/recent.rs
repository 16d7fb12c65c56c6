//! The final figure is the median of the last 20 evaluations.

use std::collections::BTreeMap;

use acai_trainer::score::Recent;

fn scores(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
    pairs.iter().map(|(name, score)| ((*name).to_owned(), *score)).collect()
}

#[test]
fn the_final_figure_is_the_median_of_the_last_20_evaluations() {
    let mut recent = Recent::default();
    assert!(recent.medians().is_empty());
    for step in 1..=23 {
        recent.push(step, scores(&[("eval/x", step as f64)]));
    }
    let expected = scores(&[("final/x", 13.5), ("final/evaluations", 20.0)]);
    assert_eq!(recent.medians(), expected, "of 4 to 23");
}

#[test]
fn an_evaluation_without_a_score_does_not_count_for_it_a_repeated_one_counts_once_and_the_fewest_are_told() {
    let mut recent = Recent::default();
    recent.push(1, scores(&[("eval/x", 5.0), ("eval/y", 1.0)]));
    recent.push(2, scores(&[("eval/x", 3.0)]));
    for _ in 0..2 {
        recent.push(3, scores(&[("eval/x", 9.0), ("other/z", 0.0)]));
    }
    let expected = scores(&[("final/x", 5.0), ("final/y", 1.0), ("final/evaluations", 1.0)]);
    assert_eq!(recent.medians(), expected, "x of 3 evaluations, y of 1");
}

#[test]
fn it_survives_being_written_and_read() {
    let mut recent = Recent::default();
    recent.push(7, scores(&[("eval/x", 0.1 + 0.2)]));
    let text = serde_json::to_string(&recent).unwrap();
    assert_eq!(serde_json::from_str::<Recent>(&text).unwrap(), recent);
}
