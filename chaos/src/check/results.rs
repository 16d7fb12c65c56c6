//! Completed runs are those of an undisturbed sweep, to the last bit.

use super::runs;
use super::snapshot::{Evidence, ReferenceRun, RunRow};
use super::verdict::{Verdict, ViolationKind};

pub(super) fn check(evidence: &Evidence, verdict: &mut Verdict) {
    for (sweep, references) in &evidence.references {
        let is_there =
            |index: u32| evidence.snapshot.runs.iter().any(|run| run.sweep == *sweep && run.index == index);
        for reference in references.iter().filter(|reference| !is_there(reference.index)) {
            let what = format!("the run `{sweep}` #{} is not in the database", reference.index);
            verdict.add(ViolationKind::Unfinished, what);
        }
    }
    for run in &evidence.snapshot.runs {
        if was_given_up(evidence, run) {
            continue;
        }
        if run.state != "completed" {
            let what = format!("run {} (`{}` #{}) is {}", run.id, run.sweep, run.index, run.state);
            verdict.add(ViolationKind::Unfinished, what);
            continue;
        }
        verdict.completed += 1;
        let references = evidence.references.get(&run.sweep);
        let Some(reference) = references.and_then(|runs| runs.iter().find(|of| of.index == run.index)) else {
            let what = format!("run {} is no run of an undisturbed `{}`", run.id, run.sweep);
            verdict.add(ViolationKind::Extra, what);
            continue;
        };
        let before = verdict.violations.len();
        weights(evidence, run, reference, verdict);
        if verdict.violations.len() == before && runs::broken(evidence, run).is_empty() {
            verdict.bit_equal += 1;
        }
    }
}

/// As many machines that cannot train a run end it, which is no broken promise.
const FAULTY_MACHINES: usize = 3;

/// Whether as many attempts were given back for a fault of their machine: those have a message, others have none.
fn was_given_up(evidence: &Evidence, run: &RunRow) -> bool {
    let is_faulty = |outcome: &Option<String>, message: &Option<String>| {
        outcome.as_deref() == Some("released") && message.is_some()
    };
    let attempts = evidence.snapshot.attempts.iter().filter(|row| row.id.run == run.id);
    run.state == "lost"
        && attempts.filter(|row| is_faulty(&row.outcome, &row.message)).count() >= FAULTY_MACHINES
}

fn weights(evidence: &Evidence, run: &RunRow, reference: &ReferenceRun, verdict: &mut Verdict) {
    let mut found = evidence.weights.iter().filter(|weights| weights.run == run.id).peekable();
    if found.peek().is_none() {
        verdict.add(ViolationKind::WeightsGone, format!("no machine has the weights of run {}", run.id));
    }
    for weights in found.filter(|weights| weights.sha256 != reference.weights) {
        let what = format!(
            "run {}: the weights in `{}` have SHA-256 {}, not {}",
            run.id, weights.place, weights.sha256, reference.weights
        );
        verdict.add(ViolationKind::WeightsDiffer, what);
    }
}
