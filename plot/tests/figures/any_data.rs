//! No data breaks a figure.

use acai_plot::{
    Band, Cell, Cross, CurveGroup, Curves, Dot, HeatMap, Interval, MeanPoint, Progress, Quantity, Scaling,
    Scatter, ScatterGroup, ScatterPoint, Spread, Strip, StripGroup, Width,
};
use acai_sweep::curve::CurvePoint;
use acai_sweep::metric::Goal;
use acai_sweep::scalar::Scalar;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::sound::check;

/// Ordinary numbers, all bit patterns, and those that break sums and logarithms.
fn number() -> impl Strategy<Value = f64> {
    let hard =
        [0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, -1e300, 5e-324, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY];
    prop_oneof![4 => -10.0..10.0, 2 => 1e-6..1e-3, 2 => prop::sample::select(hard.to_vec()), 1 => prop::num::f64::ANY]
}

/// Usual names, long ones, and any letters at all.
fn name() -> impl Strategy<Value = String> {
    let usual = ["", "λ = 0.5", "eval/mean_distance", "</text>&\"'<!--", "a\u{0}b\nc", "一个很长的名字"];
    prop_oneof![
        3 => prop::sample::select(usual.to_vec()).prop_map(str::to_owned),
        1 => (0..60usize).prop_map(|length| "long name ".repeat(length)),
        1 => any::<String>(),
    ]
}

fn quantity() -> impl Strategy<Value = Quantity> {
    let unit = prop::sample::select(&["", "%", "ms"][..]).prop_map(str::to_owned);
    (name(), unit, scaling()).prop_map(|(name, unit, scaling)| Quantity { name, unit, scaling })
}

fn scaling() -> impl Strategy<Value = Scaling> {
    prop::sample::select(&[Scaling::Linear, Scaling::Log][..])
}

fn width() -> impl Strategy<Value = Width> {
    prop::sample::select(&[Width::OneColumn, Width::TwoColumns][..])
}

fn interval() -> impl Strategy<Value = Interval> {
    let any = (number(), number(), number()).prop_map(|(mean, low, high)| Interval { mean, low, high });
    let usual =
        (-5.0..5.0, 0.0..2.0f64).prop_map(|(mean, std)| Interval { mean, low: mean - std, high: mean + std });
    prop_oneof![any, usual]
}

fn band() -> impl Strategy<Value = Option<Band>> {
    let bands = [
        None,
        Some(Band::Range),
        Some(Band::PlusMinus(Spread::Sample)),
        Some(Band::PlusMinus(Spread::Confidence95)),
    ];
    prop::sample::select(bands.to_vec())
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        (-5..5i64).prop_map(Scalar::Int),
        number().prop_map(Scalar::Float),
        (-6..6i32).prop_map(|power| Scalar::Float(10f64.powi(power))),
        name().prop_map(Scalar::Word),
    ]
}

fn heat_map() -> impl Strategy<Value = HeatMap> {
    let cell = |value: fn() -> BoxedStrategy<Scalar>| {
        let numbers = (number(), number(), 0..6usize, 0..6usize, name());
        (value(), value(), numbers).prop_map(|(x, y, (mean, spread, n, runs, why))| Cell {
            x,
            y,
            mean,
            spread,
            n,
            runs,
            why,
        })
    };
    let cells = prop_oneof![
        vec(cell(|| scalar().boxed()), 0..30),
        vec(cell(|| (0..4i64).prop_map(Scalar::Int).boxed()), 0..30),
        vec(cell(|| (-9..9i32).prop_map(|power| Scalar::Float(10f64.powi(power))).boxed()), 0..60),
    ];
    let goal = prop::sample::select(vec![None, Some(Goal::Minimize), Some(Goal::Maximize)]);
    (name(), name(), name(), quantity(), goal, cells, width()).prop_map(
        |(title, x, y, metric, goal, cells, width)| HeatMap {
            title,
            x,
            y,
            metric,
            spread: Spread::Population,
            goal,
            cells,
            width,
        },
    )
}

fn curves() -> impl Strategy<Value = Curves> {
    let step = || prop_oneof![4 => 0..100_000u64, 1 => any::<u64>()];
    let point = (step(), number()).prop_map(|(step, value)| CurvePoint { step, value });
    let mean =
        (step(), 0..6usize, interval()).prop_map(|(step, n, interval)| MeanPoint { step, n, interval });
    let images = prop_oneof![4 => 1..256u64, 1 => any::<u64>()];
    let group = (name(), images, vec(vec(point, 0..8), 0..4), vec(mean, 0..8))
        .prop_map(|(name, images_per_step, seeds, mean)| CurveGroup { name, images_per_step, seeds, mean });
    let progress = prop::sample::select(&[Progress::Steps, Progress::Kimg][..]);
    (name(), progress, scaling(), quantity(), band(), vec(group, 0..30), width()).prop_map(
        |(title, progress, progress_scaling, metric, band, groups, width)| Curves {
            title,
            progress,
            progress_scaling,
            metric,
            band,
            groups,
            width,
        },
    )
}

fn scatter() -> impl Strategy<Value = Scatter> {
    let point = (number(), number(), name()).prop_map(|(x, y, label)| ScatterPoint { x, y, label });
    let cross = (interval(), interval()).prop_map(|(x, y)| Cross { x, y });
    let group = (name(), vec(point, 0..8), prop::option::of(cross))
        .prop_map(|(name, points, mean)| ScatterGroup { name, points, mean });
    (name(), quantity(), quantity(), band(), vec(group, 0..30), width())
        .prop_map(|(title, x, y, band, groups, width)| Scatter { title, x, y, band, groups, width })
}

fn strip() -> impl Strategy<Value = Strip> {
    let dot = (number(), name()).prop_map(|(value, label)| Dot { value, label });
    let group = (name(), vec(dot, 0..8), prop::option::of(interval()))
        .prop_map(|(name, dots, mean)| StripGroup { name, dots, mean });
    (name(), quantity(), band(), vec(group, 0..40), width())
        .prop_map(|(title, metric, band, groups, width)| Strip { title, metric, band, groups, width })
}

proptest! {
    #[test]
    fn a_heat_map_of_any_data_is_sound(figure in heat_map()) {
        check(&figure.to_svg());
        prop_assert_eq!(figure.to_svg(), figure.clone().to_svg());
    }

    #[test]
    fn curves_of_any_data_are_sound(figure in curves()) {
        check(&figure.to_svg());
        prop_assert_eq!(figure.to_svg(), figure.clone().to_svg());
    }

    #[test]
    fn a_scatter_plot_of_any_data_is_sound(figure in scatter()) {
        check(&figure.to_svg());
        prop_assert_eq!(figure.to_svg(), figure.clone().to_svg());
    }

    #[test]
    fn a_strip_plot_of_any_data_is_sound(figure in strip()) {
        check(&figure.to_svg());
        prop_assert_eq!(figure.to_svg(), figure.clone().to_svg());
    }
}

#[test]
fn thousands_of_groups_fit_a_page() {
    let group = |at: usize| StripGroup {
        name: format!("group {at}"),
        dots: vec![Dot { value: at as f64, label: String::new() }],
        mean: None,
    };
    let figure = Strip {
        title: String::new(),
        metric: Quantity::new("metric"),
        band: None,
        groups: (0..3000).map(group).collect(),
        width: Width::OneColumn,
    };
    check(&figure.to_svg());

    let cell = |at: i64| Cell {
        x: Scalar::Int(at % 60),
        y: Scalar::Float((at / 60) as f64 * 0.1),
        mean: at as f64,
        spread: 0.0,
        n: 1,
        runs: 1 + (at % 7 == 0) as usize,
        why: String::new(),
    };
    let figure = HeatMap {
        title: String::new(),
        x: "x".to_owned(),
        y: "y".to_owned(),
        metric: Quantity::new("metric"),
        spread: Spread::Sample,
        goal: None,
        cells: (0..6000).map(cell).collect(),
        width: Width::OneColumn,
    };
    check(&figure.to_svg());
}
