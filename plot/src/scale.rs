//! From values to places on an axis.

/// How values are laid out along an axis, or over the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scaling {
    /// Equal differences are equally far apart.
    #[default]
    Linear,
    /// Equal ratios are equally far apart. Values that are not positive have no place and are left out, which the
    /// figure says.
    Log,
}

/// The part of the numbers that an axis shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) scaling: Scaling,
    /// Logarithms to base ten on a log scale; always less than `high`, and finite.
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Whether there is no value to show.
    pub(crate) is_empty: bool,
}

impl Scale {
    /// Shows every value that has a place, and `margin` times as much as they span on either side. Values that are all
    /// equal, or none at all, get room around them.
    pub(crate) fn around(values: impl IntoIterator<Item = f64>, scaling: Scaling, margin: f64) -> Scale {
        let mut ends: Option<(f64, f64)> = None;
        for value in values.into_iter().filter(|&value| has_place(value, scaling)) {
            let value = transform(value, scaling);
            let (low, high) = ends.unwrap_or((value, value));
            ends = Some((low.min(value), high.max(value)));
        }
        let (low, high) = ends.unwrap_or_default();
        // Halves, since the difference of two finite numbers may be infinite.
        let half = high / 2.0 - low / 2.0;
        let size = low.abs().max(high.abs());
        let margin = match scaling {
            _ if half > size * SMALLEST_RATIO && half > SMALLEST => half * (2.0 * margin),
            Scaling::Linear if size > SMALLEST => size / 10.0,
            Scaling::Linear => 0.5,
            Scaling::Log => 0.15,
        };
        let inside = |end: f64| end.clamp(-f64::MAX, f64::MAX);
        Scale { scaling, low: inside(low - margin), high: inside(high + margin), is_empty: ends.is_none() }
    }

    /// Whether a value can be drawn at all.
    pub(crate) fn has_place(&self, value: f64) -> bool {
        has_place(value, self.scaling)
    }

    /// From 0 at the low end to 1 at the high end; values beyond an end, or without a place, are at that end.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let value = transform(value, self.scaling);
        let position = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        if position.is_nan() { 0.0 } else { position.clamp(0.0, 1.0) }
    }
}

/// Ends that are nearer to each other than this, in relation to their size, count as equal.
const SMALLEST_RATIO: f64 = 1e-12;
/// Numbers below this have too few digits left to be told apart.
const SMALLEST: f64 = 1e-305;

fn has_place(value: f64, scaling: Scaling) -> bool {
    value.is_finite() && (scaling == Scaling::Linear || value > 0.0)
}

fn transform(value: f64, scaling: Scaling) -> f64 {
    match scaling {
        Scaling::Linear => value,
        Scaling::Log => value.log10(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_range_of_numbers_fits_an_axis() {
        let scale = Scale::around([-f64::MAX, f64::MAX], Scaling::Linear, 0.05);
        assert_eq!([-f64::MAX, 0.0, f64::MAX].map(|value| scale.position(value)), [0.0, 0.5, 1.0]);
        let scale = Scale::around([1e-300, 1e300], Scaling::Log, 0.0);
        assert_eq!([1e-300, 1.0, 1e300].map(|value| scale.position(value)), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn a_value_alone_is_in_the_middle() {
        for value in [0.0, 1.0, -3e7, 1e-310, 1e300] {
            let position = Scale::around([value; 3], Scaling::Linear, 0.05).position(value);
            assert!((position - 0.5).abs() < 1e-6, "{value}: {position}");
        }
        assert!((Scale::around([7.0], Scaling::Log, 0.0).position(7.0) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn what_has_no_place_does_not_move_the_ends() {
        let scale = Scale::around([1.0, f64::NAN, f64::INFINITY, -5.0, 100.0], Scaling::Log, 0.0);
        assert_eq!((scale.low, scale.high), (0.0, 2.0));
        assert!(!scale.has_place(-5.0) && !scale.has_place(f64::NAN));
        assert_eq!(scale.position(-5.0), 0.0);
    }
}
