//! How figures are shown.

use std::str::FromStr;

use acai_sweep::metric::Goal;
use acai_sweep::results::{Aggregate, Row};
use acai_sweep::statistics::Spread;

use crate::figure::{Digits, figure};
use crate::sheet::{Figure, Unit};

/// What a row says of its runs' values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// Their mean.
    Mean,
    /// Population standard deviation.
    Std,
    /// Standard error of the mean.
    Sem,
    /// Half of the mean's 95 % interval, by Student's t.
    Ci95,
    /// The one in the middle.
    Median,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// How many runs have a value.
    N,
}

impl Aggregation {
    /// Its word in headings.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Aggregation::Mean => "mean",
            Aggregation::Std => "std",
            Aggregation::Sem => "sem",
            Aggregation::Ci95 => "ci95",
            Aggregation::Median => "median",
            Aggregation::Min => "min",
            Aggregation::Max => "max",
            Aggregation::N => "n",
        }
    }

    /// As a number; `None` where there is none of so few values.
    #[must_use]
    pub fn of(self, aggregate: Option<&Aggregate>) -> Option<f64> {
        if self == Aggregation::N {
            return Some(aggregate.map_or(0.0, |aggregate| aggregate.n as f64));
        }
        let Aggregate { n, mean, std, min, max, median } = *aggregate?;
        match self {
            Aggregation::N | Aggregation::Mean => Some(mean),
            Aggregation::Std => Spread::Population.of(count(n), std),
            Aggregation::Sem => Spread::StandardError.of(count(n), std),
            Aggregation::Ci95 => Spread::Confidence95.of(count(n), std),
            // An earlier release does not say it.
            Aggregation::Median => Some(median).filter(|median| !median.is_nan()),
            Aggregation::Min => Some(min),
            Aggregation::Max => Some(max),
        }
    }
}

/// Which means are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Best {
    /// The best one; several where they are equal, as rows are that show the same runs.
    Bold,
    /// Also those that are as good within the best one's ±.
    Ties,
    /// None.
    None,
}

/// The unit that figures are shown in.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// As a number.
    pub unit: f64,
    /// As it was typed.
    pub text: String,
}

impl FromStr for Scale {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unit = text.parse().ok().filter(|unit: &f64| unit.is_finite() && *unit > 0.0);
        unit.map(|unit| Scale { unit, text: text.to_owned() }).ok_or("it is no number above 0, such as 1e-3")
    }
}

/// What people ask of the figures of a table.
#[derive(Debug, Clone)]
pub struct Style {
    /// What stands after ±.
    pub spread: Spread,
    /// How many digits figures have.
    pub digits: Digits,
    /// What is marked.
    pub best: Best,
    /// The unit, if people ask for one.
    pub scale: Option<Scale>,
    /// Columns of each metric; without any, its mean ± spread.
    pub aggregations: Vec<Aggregation>,
}

impl Style {
    /// What is shown where nobody asks for more than what stands after ±.
    #[must_use]
    pub fn usual(spread: Spread) -> Style {
        let digits = Digits::Significant(2);
        Style { spread, digits, best: Best::Bold, scale: None, aggregations: Vec::new() }
    }

    /// The unit that people ask for.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.scale.as_ref().map_or(Unit::ONE, |scale| Unit { size: scale.unit, is_asked: true })
    }

    /// The figure of a row with so many completed runs.
    #[must_use]
    pub fn figure(&self, aggregate: &Aggregate, completed: usize, unit: Unit) -> Figure {
        let Aggregate { n, mean, std, .. } = *aggregate;
        let spread = self.spread.of(count(n), std).map(|spread| spread / unit.size);
        let (text, spread) = figure(mean / unit.size, spread, self.digits);
        Figure {
            value: mean / unit.size,
            mean: text,
            spread,
            n: (n != completed).then_some(n),
            is_best: false,
            note: None,
        }
    }

    /// One aggregate of a row; `None` where there is none of so few values.
    pub(crate) fn single(
        &self,
        aggregate: Option<&Aggregate>,
        what: Aggregation,
        unit: Unit,
    ) -> Option<String> {
        let value = what.of(aggregate)?;
        Some(match what {
            Aggregation::N => value.to_string(),
            _ => figure(value / unit.size, None, self.digits).0,
        })
    }

    /// Which of these rows are best by a metric, given by its place; all are false where it has no goal, or nobody asks.
    #[must_use]
    pub fn best(&self, rows: &[&Row], place: usize, goal: Option<Goal>) -> Vec<bool> {
        let sign = match goal {
            Some(Goal::Minimize) => 1.0,
            Some(Goal::Maximize) => -1.0,
            None => return vec![false; rows.len()],
        };
        let aggregates: Vec<Option<Aggregate>> =
            rows.iter().map(|row| row.aggregates.get(place).copied().flatten()).collect();
        let means = aggregates.iter().flatten();
        let best = means.min_by(|a, b| (a.mean * sign).total_cmp(&(b.mean * sign)));
        let Some(best) = best.filter(|_| self.best != Best::None) else {
            return vec![false; rows.len()];
        };
        let reach = self.spread.of(count(best.n), best.std).unwrap_or(0.0);
        let is_best = |aggregate: &Option<Aggregate>| match self.best {
            Best::Ties => aggregate.is_some_and(|it| (it.mean - best.mean).abs() <= reach),
            Best::Bold | Best::None => aggregate.is_some_and(|it| it.mean == best.mean),
        };
        aggregates.iter().map(is_best).collect()
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn row(mean: Option<f64>, std: f64) -> Row {
        let aggregate = |mean| Aggregate { n: 2, mean, std, min: mean - std, max: mean + std, median: mean };
        Row {
            group: Vec::new(),
            runs: 2,
            completed: 2,
            states: BTreeMap::new(),
            aggregates: vec![mean.map(aggregate)],
            best: false,
            members: Vec::new(),
        }
    }

    #[test]
    fn all_rows_whose_mean_is_the_best_one_are_marked() {
        let rows = [row(Some(2.0), 1.0), row(None, 0.0), row(Some(2.0), 0.0), row(Some(2.5), 0.0)];
        let best = |best, goal| {
            let style = Style { best, ..Style::usual(Spread::Population) };
            style.best(&rows.iter().collect::<Vec<_>>(), 0, goal)
        };
        assert_eq!(best(Best::Bold, Some(Goal::Minimize)), [true, false, true, false]);
        assert_eq!(best(Best::Bold, Some(Goal::Maximize)), [false, false, false, true]);
        assert_eq!(best(Best::Ties, Some(Goal::Minimize)), [true, false, true, true]);
        assert_eq!(best(Best::None, Some(Goal::Minimize)), [false; 4]);
        assert_eq!(best(Best::Bold, None), [false; 4]);
    }
}
