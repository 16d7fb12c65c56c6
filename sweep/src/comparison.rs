//! Whether one setting is better than another, seed by seed.

use std::collections::BTreeMap;

use crate::metric::Goal;
use crate::scalar::Scalar;
use crate::statistics::{Spread, holm, mean_and_std, p_value};

/// What tells the runs of a row from those of others: parameters and their values.
pub type Group = Vec<(String, Scalar)>;

/// A value of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The run's row.
    pub group: Group,
    /// Key of the run's random numbers.
    pub seed: u64,
    /// Of the metric that is compared.
    pub value: f64,
}

/// A row beside the row that it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The row.
    pub group: Group,
    /// Its differences from the other row; `None` if no seed has been trained in both.
    pub differences: Option<Differences>,
}

/// Differences of pairs of runs of the same seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Differences {
    /// Seeds that both rows have.
    pub n: u32,
    /// Of the differences.
    pub mean: f64,
    /// Half of the mean's 95 % interval by Student's t; `None` for fewer than three pairs.
    pub confidence95: Option<f64>,
    /// Pairs in which the row is better; `None` if the metric has no goal.
    pub better: Option<u32>,
    /// How probable such a mean is if there is no difference ([`p_value`]), adjusted for the number of rows that are compared
    /// ([`holm`]); `None` for fewer than three pairs, and where all differences are the same.
    pub p: Option<f64>,
}

/// Compares each row with the one that has the values of `baseline` and otherwise the same. Rows that have these values, and
/// such as have no counterpart, are left out.
#[must_use]
pub fn compare(observations: &[Observation], baseline: &Group, goal: Option<Goal>) -> Vec<Comparison> {
    let mut rows: Vec<(&Group, BTreeMap<u64, f64>)> = Vec::new();
    for Observation { group, seed, value } in observations {
        match rows.iter_mut().find(|(known, _)| *known == group) {
            Some((_, seeds)) => drop(seeds.insert(*seed, *value)),
            None => rows.push((group, BTreeMap::from([(*seed, *value)]))),
        }
    }
    let is_baseline = |group: &Group| baseline.iter().all(|wanted| group.contains(wanted));
    let varied = |name: &str| baseline.iter().any(|(of_baseline, _)| of_baseline == name);
    let rest = |group: &Group| -> Group { group.iter().filter(|(name, _)| !varied(name)).cloned().collect() };
    let compared = rows.iter().filter(|(group, _)| !is_baseline(group));
    let comparison = |(group, seeds): &(&Group, BTreeMap<u64, f64>)| {
        let others = rows.iter().find(|(other, _)| is_baseline(other) && rest(other) == rest(group));
        let (_, others) = others?;
        Some(Comparison { group: (*group).clone(), differences: differences(seeds, others, goal) })
    };
    let mut comparisons: Vec<Comparison> = compared.filter_map(comparison).collect();
    let p_values: Vec<Option<f64>> = comparisons.iter().map(|it| it.differences?.p).collect();
    for (comparison, p) in comparisons.iter_mut().zip(holm(&p_values)) {
        comparison.differences.iter_mut().for_each(|differences| differences.p = p);
    }
    comparisons
}

fn differences(
    seeds: &BTreeMap<u64, f64>,
    others: &BTreeMap<u64, f64>,
    goal: Option<Goal>,
) -> Option<Differences> {
    let pairs = seeds.iter().filter_map(|(seed, value)| Some(value - others.get(seed)?));
    let pairs: Vec<f64> = pairs.collect();
    let (mean, std) = mean_and_std(&pairs)?;
    let n = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
    let is_better = |goal: Goal| match goal {
        Goal::Minimize => pairs.iter().filter(|difference| **difference < 0.0).count(),
        Goal::Maximize => pairs.iter().filter(|difference| **difference > 0.0).count(),
    };
    let better = goal.map(|goal| u32::try_from(is_better(goal)).unwrap_or(u32::MAX));
    let (confidence95, p) = (Spread::Confidence95.of(n, std), p_value(n, mean, std));
    Some(Differences { n, mean, confidence95, better, p })
}
