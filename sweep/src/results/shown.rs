//! Under which values a run is shown: its own, or those of the points that share it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::RunResult;
use crate::filter::{Fields, NUMBER, STATE};
use crate::merged::Values;
use crate::scalar::Scalar;

/// Points of a sweep's file that train the same: a run stands for all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    /// The [`training_digest`](crate::configuration::Configuration::training_digest) of the runs.
    pub training: String,
    /// What each of the points asks for, in the parameters in which they differ.
    pub asked: Vec<Values>,
}

/// A run as a row sees it: with its own values, or with those of a point that it stands for.
pub(super) struct Shown<'r> {
    pub(super) run: &'r RunResult,
    asked: Option<&'r Values>,
}

impl Fields for Shown<'_> {
    fn field(&self, name: &str) -> Option<Scalar> {
        match name {
            STATE => Some(Scalar::from(self.run.state.as_str())),
            NUMBER => Some(Scalar::Int(self.run.number.into())),
            name => self.parameter(name),
        }
    }
}

impl Shown<'_> {
    pub(super) fn parameter(&self, name: &str) -> Option<Scalar> {
        let asked = self.asked.and_then(|asked| asked.get(name));
        asked.cloned().or_else(|| self.run.parameter(name))
    }
}

/// Each run, as often as there are points that it stands for.
pub(super) fn shown<'r>(runs: &[&'r RunResult], shared: &'r [Shared]) -> Vec<Shown<'r>> {
    let by_training: HashMap<&str, &Shared> =
        shared.iter().map(|shared| (shared.training.as_str(), shared)).collect();
    let shared_by = |run: &RunResult| match by_training.is_empty() {
        true => None,
        false => by_training.get(run.configuration.training_digest().as_str()).copied(),
    };
    let runs: Vec<(&RunResult, Option<&Shared>)> = runs.iter().map(|run| (*run, shared_by(run))).collect();
    let mut alike: HashMap<(&str, u64), Vec<&RunResult>> = HashMap::new();
    for (run, shared) in &runs {
        if let Some(shared) = shared {
            alike.entry((&shared.training, run.seed)).or_default().push(run);
        }
    }
    // The run of each point, in the order of the points.
    let stand_ins = |((training, seed), alike): ((&'r str, u64), Vec<&'r RunResult>)| {
        let asked = by_training[training].asked.iter();
        ((training, seed), asked.map(|asked| stand_in(&alike, asked)).collect())
    };
    let stand_ins: HashMap<(&str, u64), Vec<&RunResult>> = alike.into_iter().map(stand_ins).collect();
    let mut shown = Vec::with_capacity(runs.len());
    for (run, shared) in runs {
        let Some(Shared { training, asked }) = shared else {
            shown.push(Shown { run, asked: None });
            continue;
        };
        let points = asked.iter().zip(&stand_ins[&(training.as_str(), run.seed)]);
        let points = points.filter(|(_, stand_in)| std::ptr::eq(**stand_in, run));
        shown.extend(points.map(|(asked, _)| Shown { run, asked: Some(asked) }));
    }
    shown
}

/// Of runs that train the same, the one that is shown at a point: its own where it has one, or else one that is
/// completed, or else the first.
fn stand_in<'r>(alike: &[&'r RunResult], asked: &Values) -> &'r RunResult {
    let is_own =
        |run: &&&RunResult| asked.iter().all(|(name, value)| run.configuration.get(name) == Some(value));
    let own = alike.iter().find(is_own);
    own.or_else(|| alike.iter().find(|run| run.is_completed())).unwrap_or(&alike[0])
}
