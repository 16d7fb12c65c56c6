//! How figures are shown.

use acai_proto::v1::{Aggregate, Goal, ResultsRow};
use acai_sweep::statistics::Spread;

use super::sheet::{Figure, Unit};
use crate::args::{Aggregation, Best, Digits, Scale, TableArguments};
use crate::format;

/// What people ask of the figures of a table.
pub(super) struct Style {
    pub(super) spread: Spread,
    pub(super) digits: Digits,
    pub(super) best: Best,
    pub(super) scale: Option<Scale>,
    pub(super) aggregations: Vec<Aggregation>,
}

impl Style {
    pub(super) fn new(arguments: &TableArguments) -> Style {
        Style {
            spread: arguments.spread.into(),
            digits: arguments.digits,
            best: arguments.best,
            scale: arguments.scale.clone(),
            aggregations: arguments.aggregations.clone(),
        }
    }

    /// The unit that people ask for.
    pub(super) fn unit(&self) -> Unit {
        self.scale.as_ref().map_or(Unit::ONE, |scale| Unit { size: scale.unit, is_asked: true })
    }

    /// The figure of a row with so many completed runs; `None` if none of them has a value.
    pub(super) fn figure(&self, aggregate: &Aggregate, completed: u32, unit: Unit) -> Option<Figure> {
        let Aggregate { n, mean, std, .. } = *aggregate;
        if n == 0 {
            return None;
        }
        let spread = self.spread.of(n, std).map(|spread| spread / unit.size);
        let (mean, spread) = format::figure(mean / unit.size, spread, self.digits);
        Some(Figure {
            value: aggregate.mean / unit.size,
            mean,
            spread,
            n: (n != completed).then_some(n),
            is_best: false,
            note: None,
        })
    }

    /// One aggregate of a row; `None` where there is none of so few values.
    pub(super) fn single(&self, aggregate: &Aggregate, what: Aggregation, unit: Unit) -> Option<String> {
        let value = value(aggregate, what)?;
        Some(match what {
            Aggregation::N => aggregate.n.to_string(),
            _ => format::figure(value / unit.size, None, self.digits).0,
        })
    }

    /// Which of these rows are best by a metric, given by its place; all are false where it has no goal, or nobody asks.
    pub(super) fn best(&self, rows: &[&ResultsRow], place: usize, goal: Goal) -> Vec<bool> {
        let of = |row: &&ResultsRow| row.aggregates.get(place).copied().filter(|aggregate| aggregate.n > 0);
        let sign = match goal {
            Goal::Minimize => 1.0,
            Goal::Maximize => -1.0,
            Goal::Unspecified => return vec![false; rows.len()],
        };
        let aggregates: Vec<Option<Aggregate>> = rows.iter().map(of).collect();
        let means = aggregates.iter().enumerate().filter_map(|(row, it)| Some((row, it.as_ref()?)));
        let best = means.min_by(|(_, a), (_, b)| (a.mean * sign).total_cmp(&(b.mean * sign)));
        let Some((first, best)) = best.filter(|_| self.best != Best::None) else {
            return vec![false; rows.len()];
        };
        let reach = self.spread.of(best.n, best.std).unwrap_or(0.0);
        let is_best = |(row, aggregate): (usize, &Option<Aggregate>)| match self.best {
            Best::Ties => aggregate.is_some_and(|it| (it.mean - best.mean).abs() <= reach),
            Best::Bold | Best::None => row == first,
        };
        aggregates.iter().enumerate().map(is_best).collect()
    }
}

/// An aggregate as a number; `None` where there is none of so few values.
pub(super) fn value(aggregate: &Aggregate, what: Aggregation) -> Option<f64> {
    let Aggregate { n, mean, std, min, max, median } = *aggregate;
    if what == Aggregation::N {
        return Some(n.into());
    }
    if n == 0 {
        return None;
    }
    match what {
        Aggregation::N | Aggregation::Mean => Some(mean),
        Aggregation::Std => Spread::Population.of(n, std),
        Aggregation::Sem => Spread::StandardError.of(n, std),
        Aggregation::Ci95 => Spread::Confidence95.of(n, std),
        Aggregation::Median => median,
        Aggregation::Min => Some(min),
        Aggregation::Max => Some(max),
    }
}
