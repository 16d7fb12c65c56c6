//! A figure of a table: a mean, what stands after ±, and of how many runs.

use acai_proto::v1::Aggregate;
use acai_sweep::statistics::Spread;

use crate::format::mean_and_std;

/// What a cell shows of its runs.
pub(super) struct Figure {
    /// The mean and, where it says something, what stands after ±.
    pub(super) value: String,
    /// How many runs have a value, where not every completed run has one: that is never hidden.
    pub(super) n: Option<u32>,
}

/// The figure of a row with so many completed runs; `None` if none of them has a value.
pub(super) fn figure(aggregate: &Aggregate, completed: u32, spread: Spread) -> Option<Figure> {
    let Aggregate { n, mean, std, .. } = *aggregate;
    if n == 0 {
        return None;
    }
    let value = match spread.of(n, std) {
        Some(spread) => mean_and_std(mean, spread, n),
        None => mean_and_std(mean, 0.0, 1),
    };
    Some(Figure { value, n: (n != completed).then_some(n) })
}
