//! What could not be drawn, and must be said.

use crate::interval::Interval;
use crate::scale::Scaling;

/// Counts values that have no place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Omitted {
    not_finite: usize,
    not_positive: usize,
    cut_intervals: usize,
}

impl Omitted {
    /// Looks at the coordinates of one point.
    pub(crate) fn count(&mut self, coordinates: &[(f64, Scaling)]) {
        if coordinates.iter().any(|(value, _)| !value.is_finite()) {
            self.not_finite += 1;
        } else if coordinates.iter().any(|&(value, scaling)| scaling == Scaling::Log && value <= 0.0) {
            self.not_positive += 1;
        }
    }

    /// Looks at an interval that is drawn, if the axis shows its mean.
    pub(crate) fn count_interval(&mut self, interval: Interval, scaling: Scaling) {
        let is_cut = scaling == Scaling::Log && interval.low <= 0.0 && interval.mean > 0.0;
        self.cut_intervals += usize::from(is_cut);
    }

    /// Sentences, if anything was left out.
    pub(crate) fn notes(self) -> Vec<String> {
        let reasons = [(self.not_finite, "not finite"), (self.not_positive, "not positive on a log axis")];
        let reasons: Vec<String> = reasons
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, reason)| format!("{count} {reason}"))
            .collect();
        let mut notes = Vec::new();
        if !reasons.is_empty() {
            notes.push(format!("Values left out: {}.", reasons.join(", ")));
        }
        if self.cut_intervals > 0 {
            notes.push(format!("Intervals that reach 0 or below end at the edge ({}).", self.cut_intervals));
        }
        notes
    }
}
