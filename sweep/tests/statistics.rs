//! Intervals and paired differences, against figures of SciPy.

use acai_sweep::comparison::{Observation, compare};
use acai_sweep::metric::Goal;
use acai_sweep::scalar::Scalar;
use acai_sweep::statistics::{Spread, holm, mean_and_std, p_value, t_quantile};

#[test]
fn quantiles_of_t_are_those_of_scipy() {
    // scipy.stats.t.ppf(0.975, n)
    for (degrees, expected) in [
        (1, 12.706_204_736_174_694),
        (2, 4.302_652_729_749_462),
        (4, 2.776_445_105_197_793),
        (9, 2.262_157_162_798_205),
        (30, 2.042_272_456_301_238),
        (1000, 1.962_339_080_818_207),
    ] {
        let quantile = t_quantile(degrees).unwrap();
        assert!((quantile - expected).abs() < 1e-9, "{degrees}: {quantile}");
    }
    assert_eq!(t_quantile(0), None);
}

#[test]
fn a_spread_is_what_its_name_says_and_nothing_where_it_would_say_nothing() {
    let values = [1.0, 2.0, 4.0, 5.0, 8.0];
    let (mean, std) = mean_and_std(&values).unwrap();
    assert!((mean - 4.0).abs() < 1e-15);
    let close = |spread: Spread, expected: f64| (spread.of(5, std).unwrap() - expected).abs() < 1e-12;
    assert!(close(Spread::Population, 6.0f64.sqrt()));
    assert!(close(Spread::Sample, 7.5f64.sqrt()));
    assert!(close(Spread::StandardError, 1.5f64.sqrt()));
    // scipy.stats.t.interval(0.95, 4, loc=4, scale=scipy.stats.sem([1, 2, 4, 5, 8]))
    assert!((Spread::Confidence95.of(5, std).unwrap() - 3.400_436_903_291_278_2).abs() < 1e-9);
    for spread in [Spread::Population, Spread::Sample, Spread::StandardError, Spread::Confidence95] {
        assert_eq!(spread.of(1, 0.0), None);
    }
    assert_eq!(Spread::Confidence95.of(2, 1.0), None, "not informative");
    assert_eq!(mean_and_std(&[]), None);
}

fn observed(lambda: f64, dataset: &str, seed: u64, value: f64) -> Observation {
    let group =
        vec![("lambda".to_owned(), Scalar::Float(lambda)), ("dataset".to_owned(), Scalar::from(dataset))];
    Observation { group, seed, value }
}

#[test]
fn rows_are_compared_by_the_seeds_that_both_have() {
    let observations = [
        observed(0.0, "lines32", 0, 10.0),
        observed(0.0, "lines32", 1, 20.0),
        observed(0.0, "lines32", 2, 30.0),
        observed(0.5, "lines32", 0, 9.0),
        observed(0.5, "lines32", 1, 18.0),
        observed(0.5, "lines32", 2, 31.0),
        observed(0.5, "lines32", 7, 0.0),
        observed(1.0, "lines32", 9, 1.0),
        // There is nothing to compare these with.
        observed(0.5, "digits32", 0, 1.0),
    ];
    let baseline = vec![("lambda".to_owned(), Scalar::Float(0.0))];
    let compared = compare(&observations, &baseline, Some(Goal::Minimize));
    let [half, one] = compared.as_slice() else { panic!("{compared:?}") };
    assert_eq!(half.group, observations[3].group);
    let differences = half.differences.unwrap();
    assert_eq!((differences.n, differences.better), (3, Some(2)));
    assert!((differences.mean - -2.0 / 3.0).abs() < 1e-15);
    // scipy.stats.t.interval(0.95, 2, loc=0, scale=scipy.stats.sem([-1, -2, 1]))
    assert!((differences.confidence95.unwrap() - 3.794_583_033_596_759_4).abs() < 1e-9, "{differences:?}");
    assert_eq!(one.differences, None, "no seed has been trained in both");
    let maximized = compare(&observations, &baseline, Some(Goal::Maximize));
    assert_eq!(maximized[0].differences.unwrap().better, Some(1));
}

#[test]
fn p_values_are_those_of_t_and_holm_makes_them_larger_by_the_number_of_questions() {
    // Of two degrees of freedom the distribution has a closed form.
    for values in [[-1.0, -2.0, 1.0], [1.0, 2.0, 4.0], [-5.0, -5.0, -5.1]] {
        let (mean, std) = mean_and_std(&values).unwrap();
        let t = mean / (std / 2.0f64.sqrt());
        let expected = 1.0 - t.abs() / (2.0 + t * t).sqrt();
        let p = p_value(3, mean, std).unwrap();
        assert!((p - expected).abs() < 1e-12, "{values:?}: {p}");
    }
    assert_eq!(p_value(2, 1.0, 0.1), None);
    assert_eq!(p_value(5, 1.0, 0.0), None);
    // statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03, 0.005], method="holm")
    let adjusted = holm(&[Some(0.01), Some(0.04), None, Some(0.03), Some(0.005)]);
    let expected = [Some(0.03), Some(0.06), None, Some(0.06), Some(0.02)];
    for (adjusted, expected) in adjusted.into_iter().zip(expected) {
        assert_eq!(adjusted.is_some(), expected.is_some());
        assert!((adjusted.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-15, "{adjusted:?}");
    }
    assert_eq!(holm(&[Some(0.9), Some(0.8)]), [Some(1.0), Some(1.0)]);
}
