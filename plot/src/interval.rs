//! Means, and what is drawn around them. Whoever asks for a figure has computed both; the figure says what they are.

use acai_sweep::statistics::Spread;

/// A mean, and the ends of what is drawn around it. Ends that are not finite are not drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// In the unit of its axis.
    pub mean: f64,
    /// In the unit of its axis, not above the mean.
    pub low: f64,
    /// In the unit of its axis, not below the mean.
    pub high: f64,
}

impl Interval {
    /// Everything that an axis has to show.
    pub(crate) fn values(self) -> [f64; 3] {
        [self.mean, self.low, self.high]
    }

    pub(crate) fn has_ends(self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }
}

/// What an interval around a mean spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// Mean ± this.
    PlusMinus(Spread),
    /// From the smallest to the largest value.
    Range,
}

/// For notes, as in "mean ± standard error".
pub(crate) fn words(spread: Spread) -> &'static str {
    match spread {
        Spread::Population => "population std",
        Spread::Sample => "sample std",
        Spread::StandardError => "standard error",
        Spread::Confidence95 => "95 % confidence (t)",
    }
}

impl Band {
    /// For notes, as in "Band: ± standard error".
    pub(crate) fn words(self) -> String {
        match self {
            Band::PlusMinus(spread) => format!("± {}", words(spread)),
            Band::Range => "smallest to largest".to_owned(),
        }
    }
}
