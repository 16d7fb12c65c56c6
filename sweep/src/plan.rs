//! What a sweep file expands to: its configurations, and from them its runs.

use std::collections::HashMap;

use crate::configuration::Configuration;
use crate::merged::{self, Merged};
use crate::scalar::Scalar;
use crate::spelling::counted;

/// The runs of a sweep, in the order they should start.
///
/// Configurations keep the file's order: the last axis varies fastest, those that `include` adds
/// come last. Seeds vary slowest, so that a whole table with one seed is there early.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub(crate) configurations: Vec<Configuration>,
    pub(crate) seeds: Vec<u64>,
    pub(crate) swept: Vec<String>,
    pub(crate) counts: Counts,
    pub(crate) merged: Vec<Merged>,
}

/// How a plan came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Points of the grid: the product of the axes' lengths.
    pub grid: u64,
    /// Points that `exclude` dropped.
    pub excluded: u64,
    /// Points dropped because they train the same as an earlier one, from which they differ only in parameters that
    /// take no effect.
    pub merged: u64,
    /// Points that `include` added.
    pub included: u64,
    /// What remains: `grid - excluded - merged + included`.
    pub configurations: u64,
    /// Runs of each configuration.
    pub seeds: u64,
    /// `configurations × seeds`.
    pub runs: u64,
}

impl Counts {
    /// "3 configurations × 2 seeds = 6 runs", with a word of one's own in the middle.
    #[must_use]
    pub fn product(&self, equal: &str) -> String {
        let Counts { configurations, seeds, runs, .. } = *self;
        let [configurations, seeds, runs] =
            [(configurations, "configuration"), (seeds, "seed"), (runs, "run")]
                .map(|(n, noun)| counted(n, noun));
        format!("{configurations} × {seeds} {equal} {runs}")
    }
}

/// One run of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedRun<'p> {
    /// Its place in the plan, from 0.
    pub index: usize,
    /// Key of its random numbers.
    pub seed: u64,
    /// Index of the plan's configuration that trains what this one trains.
    pub point: usize,
    /// What it trains.
    pub configuration: &'p Configuration,
}

impl Plan {
    /// What is trained, without repetitions.
    #[must_use]
    pub fn configurations(&self) -> &[Configuration] {
        &self.configurations
    }

    /// The seeds of every configuration.
    #[must_use]
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// The parameters that tell the configurations apart, in declared order.
    #[must_use]
    pub fn swept(&self) -> &[String] {
        &self.swept
    }

    /// The values of the swept parameters in `configuration`; those that its model does not use are
    /// left out.
    pub fn assignment<'p>(
        &'p self,
        configuration: &'p Configuration,
    ) -> impl Iterator<Item = (&'p str, &'p Scalar)> {
        self.swept.iter().filter_map(|name| Some((name.as_str(), configuration.get(name)?)))
    }

    /// The points that were merged.
    #[must_use]
    pub fn merged(&self) -> &[Merged] {
        &self.merged
    }

    /// Whether points were merged whose configurations are different, so that another version may have stored runs of
    /// more of them.
    #[must_use]
    pub fn has_twins(&self) -> bool {
        self.merged.iter().any(|merged| !merged.twins.is_empty())
    }

    /// Why points were merged, with the number of points for each reason; for people.
    #[must_use]
    pub fn reasons_to_merge(&self) -> Vec<String> {
        merged::reasons(&self.merged, &self.configurations)
    }

    /// How the plan came about.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Every run, in order.
    pub fn runs(&self) -> impl Iterator<Item = PlannedRun<'_>> {
        let seeds = self.seeds.iter();
        let points =
            seeds.flat_map(|&seed| self.configurations.iter().enumerate().map(move |point| (seed, point)));
        points.enumerate().map(|(index, (seed, (point, configuration)))| PlannedRun {
            index,
            seed,
            point,
            configuration,
        })
    }

    /// Every run, in order, for a sweep that has runs already. Of the runs that train the same those stay that are
    /// there, under whichever of their configurations; where none is, the plan has its own.
    pub fn runs_beside(&self, is_there: impl Fn(&Configuration, u64) -> bool) -> Vec<PlannedRun<'_>> {
        let twins: HashMap<usize, &[Configuration]> =
            self.merged.iter().map(|merged| (merged.configuration, merged.twins.as_slice())).collect();
        let mut runs = Vec::new();
        for own in self.runs() {
            let twins = twins.get(&own.point).copied().unwrap_or_default();
            let alike = std::iter::once(own.configuration).chain(twins);
            let mut alike: Vec<&Configuration> = match twins {
                [] => Vec::new(),
                _ => alike.filter(|configuration| is_there(configuration, own.seed)).collect(),
            };
            if alike.is_empty() {
                alike.push(own.configuration);
            }
            for configuration in alike {
                runs.push(PlannedRun { index: runs.len(), configuration, ..own });
            }
        }
        runs
    }
}
