//! The judgement: journal against database against disks against an undisturbed training. Pure.

mod checkpoints;
mod eras;
mod history;
mod points;
mod results;
mod runs;
pub mod snapshot;
#[cfg(test)]
mod tests;
mod verdict;

pub use verdict::{Verdict, Violation, ViolationKind};

use snapshot::Evidence;

/// Finds everything that is wrong.
#[must_use]
pub fn check(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict::default();
    runs::check(evidence, &mut verdict);
    points::check(evidence, &mut verdict);
    history::check(evidence, &mut verdict);
    checkpoints::check(evidence, &mut verdict);
    results::check(evidence, &mut verdict);
    verdict
}
