//! The last evaluations of a run.

use std::collections::{BTreeMap, VecDeque};

use acai_sweep::training::FINAL_EVALUATIONS;
use serde::{Deserialize, Serialize};

/// Scores of a run's last 20 evaluations, oldest first, each with its step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recent(VecDeque<(u64, BTreeMap<String, f64>)>);

impl Recent {
    /// Adds the scores of the evaluation after `step`; a repeated evaluation replaces the first one.
    pub fn push(&mut self, step: u64, scores: BTreeMap<String, f64>) {
        self.0.retain(|(earlier, _)| *earlier < step);
        self.0.push_back((step, scores));
        if self.0.len() as u64 > FINAL_EVALUATIONS {
            self.0.pop_front();
        }
    }

    /// Forgets the evaluations after other steps than these.
    pub fn retain(&mut self, is_kept: impl Fn(u64) -> bool) {
        self.0.retain(|(step, _)| is_kept(*step));
    }

    /// The median of each score `eval/x` over the evaluations that have it, as `final/x`; and of how many evaluations these
    /// medians are at least, as `final/evaluations`.
    #[must_use]
    pub fn medians(&self) -> BTreeMap<String, f64> {
        let mut all: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (name, score) in self.0.iter().flat_map(|(_, scores)| scores) {
            if let Some(name) = name.strip_prefix("eval/") {
                all.entry(name).or_default().push(*score);
            }
        }
        let fewest = all.values().map(Vec::len).min().map(|fewest| ("evaluations", fewest as f64));
        let medians = all.into_iter().map(|(name, scores)| (name, median(scores)));
        medians.chain(fewest).map(|(name, figure)| (format!("final/{name}"), figure)).collect()
    }
}

/// The middle of some values; of an even number, the mean of the middle two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}
