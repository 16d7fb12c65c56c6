//! What a sweep file expands to: its configurations, and from them its runs.

use crate::configuration::Configuration;
use crate::scalar::Scalar;

/// The runs of a sweep, in the order they should start.
///
/// Configurations keep the file's order: the last axis varies fastest, those that `include` adds
/// come last. Seeds vary slowest, so that a whole table with one seed is there early.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub(crate) configurations: Vec<Configuration>,
    pub(crate) seeds: Vec<u64>,
    pub(crate) swept: Vec<&'static str>,
    pub(crate) counts: Counts,
}

/// How a plan came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Points of the grid: the product of the axes' lengths.
    pub grid: u64,
    /// Points that `exclude` dropped.
    pub excluded: u64,
    /// Points dropped because they differ from an earlier one only in parameters that their model
    /// does not use.
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

/// One run of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedRun<'p> {
    /// Its place in the plan, from 0.
    pub index: usize,
    /// Key of its random numbers.
    pub seed: u64,
    /// Index of its configuration.
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
    pub fn swept(&self) -> &[&'static str] {
        &self.swept
    }

    /// The values of the swept parameters in `configuration`; those that its model does not use are
    /// left out.
    pub fn assignment<'p>(
        &'p self,
        configuration: &'p Configuration,
    ) -> impl Iterator<Item = (&'static str, &'p Scalar)> {
        self.swept.iter().filter_map(|name| Some((*name, configuration.get(name)?)))
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
}
