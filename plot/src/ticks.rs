//! Where an axis has ticks, and what they say: 1, 2 or 5 times a power of ten.

use crate::number::{Decimal, factor};
use crate::scale::{Scale, Scaling};

/// The ticks of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ticks {
    pub(crate) major: Vec<Tick>,
    /// Positions of ticks without text.
    pub(crate) minor: Vec<f64>,
    /// Labels are in units of ten to this power.
    pub(crate) factor: i32,
}

/// A tick with text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// From 0 to 1 along the axis.
    pub(crate) position: f64,
    pub(crate) label: String,
}

/// At most `most` ticks, as many as there are nice ones; none where there is nothing to show.
pub(crate) fn ticks(scale: &Scale, most: usize) -> Ticks {
    if scale.is_empty {
        return Ticks { major: Vec::new(), minor: Vec::new(), factor: 0 };
    }
    match scale.scaling {
        Scaling::Linear => fixed(scale, &multiples(scale.low, scale.high, most)),
        Scaling::Log => logarithmic(scale, most),
    }
}

fn logarithmic(scale: &Scale, most: usize) -> Ticks {
    let powers = whole_numbers(scale.low, scale.high);
    let one_two_five: Vec<Decimal> = (powers.start() - 1..=*powers.end())
        .flat_map(|exponent| [1, 2, 5].map(|digits| Decimal { digits, exponent }))
        .filter(|tick| (scale.low..=scale.high).contains(&tick.value().log10()))
        .collect();
    let count = powers.clone().count();
    if count < 3 && (3..=most).contains(&one_two_five.len()) {
        return powers_of_ten(scale, &one_two_five, minor(scale));
    }
    if count >= 2 {
        let step = [1, 2, 3, 5, 10, 20, 50, 100, 200].into_iter().find(|step| count.div_ceil(*step) <= most);
        let step = step.unwrap_or(500) as i32;
        let tick = |exponent| Decimal { digits: 1, exponent };
        let major: Vec<Decimal> = powers.filter(|power| power % step == 0).map(tick).collect();
        let minor = if step == 1 { minor(scale) } else { Vec::new() };
        return powers_of_ten(scale, &major, minor);
    }
    let value = |end: f64| 10f64.powf(end).clamp(f64::MIN_POSITIVE, f64::MAX);
    fixed(scale, &multiples(value(scale.low), value(scale.high), most))
}

/// Between powers of ten.
fn minor(scale: &Scale) -> Vec<f64> {
    let powers = whole_numbers(scale.low, scale.high);
    (powers.start() - 1..=*powers.end())
        .flat_map(|exponent| (2..10).map(move |digits| Decimal { digits, exponent }.value()))
        .filter(|value| (scale.low..=scale.high).contains(&value.log10()))
        .map(|value| scale.position(value))
        .collect()
}

/// Multiples of 1, 2 or 5 times a power of ten from `low` to `high`, `most` of them or fewer.
fn multiples(low: f64, high: f64, most: usize) -> Vec<Decimal> {
    let most = most.max(1);
    let smallest_step = high / most as f64 - low / most as f64;
    // Ends that differ by less than the computer's numbers can tell have nothing between them.
    if smallest_step < f64::MIN_POSITIVE {
        return Vec::new();
    }
    let first_exponent = smallest_step.log10().floor() as i32 - 1;
    for exponent in first_exponent..first_exponent + 5 {
        for digits in [1, 2, 5] {
            let step = Decimal { digits, exponent }.value();
            if step < smallest_step / 2.0 {
                continue;
            }
            let (first, last) = ((low / step - TOLERANCE).ceil(), (high / step + TOLERANCE).floor());
            if last - first < most as f64 {
                let decimal = |times: i64| Decimal { digits: times.saturating_mul(digits), exponent };
                return (first as i64..=last as i64).map(decimal).collect();
            }
        }
    }
    Vec::new()
}

/// Of a step; an end that differs from a tick by rounding alone has that tick.
const TOLERANCE: f64 = 1e-9;

fn whole_numbers(low: f64, high: f64) -> std::ops::RangeInclusive<i32> {
    (low - TOLERANCE).ceil() as i32..=(high + TOLERANCE).floor() as i32
}

fn fixed(scale: &Scale, ticks: &[Decimal]) -> Ticks {
    let largest = ticks.iter().map(|tick| tick.value().abs()).fold(0.0, f64::max);
    let factor = factor(largest);
    let tick = |tick: &Decimal| Tick { position: scale.position(tick.value()), label: tick.fixed(factor) };
    Ticks { major: ticks.iter().map(tick).collect(), minor: Vec::new(), factor }
}

fn powers_of_ten(scale: &Scale, ticks: &[Decimal], minor: Vec<f64>) -> Ticks {
    let short = ticks.iter().all(|tick| (-3..=4).contains(&tick.exponent));
    let tick = |tick: &Decimal| Tick {
        position: scale.position(tick.value()),
        label: if short { tick.fixed(0) } else { tick.power() },
    };
    Ticks { major: ticks.iter().map(tick).collect(), minor, factor: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: [f64; 2], scaling: Scaling, most: usize) -> Vec<String> {
        let ticks = ticks(&Scale::around(values, scaling, 0.0), most);
        ticks.major.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn linear_ticks_are_multiples_of_one_two_or_five() {
        assert_eq!(labels([0.0, 1.0], Scaling::Linear, 6), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels([-7.0, 13.0], Scaling::Linear, 5), ["−5", "0", "5", "10"]);
        assert_eq!(labels([0.0013, 0.0052], Scaling::Linear, 5), ["2", "3", "4", "5"], "in thousandths");
    }

    #[test]
    fn log_ticks_are_powers_of_ten_or_few_steps_between() {
        assert_eq!(labels([1e-5, 1e-1], Scaling::Log, 6), ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹"]);
        assert_eq!(labels([1.0, 30.0], Scaling::Log, 6), ["1", "2", "5", "10", "20"]);
        assert_eq!(labels([1e-300, 1e300], Scaling::Log, 7).len(), 7);
        assert_eq!(labels([1.1, 1.4], Scaling::Log, 4), ["1.1", "1.2", "1.3", "1.4"]);
    }

    #[test]
    fn there_are_never_more_ticks_than_asked_for() {
        for most in 1..12 {
            for values in [[0.0, 1.0], [1e300, 1.1e300], [3.0, 3.000_000_1], [1e-300, 1.7e308], [2.0, 900.0]]
            {
                for scaling in [Scaling::Linear, Scaling::Log] {
                    let labels = labels(values, scaling, most);
                    assert!(labels.len() <= most, "{values:?} {most}: {labels:?}");
                }
            }
        }
    }

    #[test]
    fn the_smallest_numbers_there_are_have_no_ticks_between_them() {
        assert_eq!(labels([5.9e-309, 6e-309], Scaling::Log, 6), [] as [&str; 0]);
    }

    #[test]
    fn digits_that_all_labels_share_are_taken_out() {
        let ticks = ticks(&Scale::around([0.0, 262_144.0], Scaling::Linear, 0.0), 6);
        assert_eq!(ticks.factor, 3);
        assert_eq!(ticks.major.last().map(|tick| tick.label.as_str()), Some("250"));
    }
}
