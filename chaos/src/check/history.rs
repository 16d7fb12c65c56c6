//! What was granted is stored, the dead write nothing, and a run ends once.

use std::collections::{BTreeMap, BTreeSet};

use super::eras::{Era, eras, remembered};
use super::snapshot::{AttemptRow, Evidence};
use super::verdict::{Verdict, ViolationKind};
use crate::journal::{AttemptId, Deaths, Entry, Origin, What};

/// States that nothing but a person's wish takes a run out of.
const TERMINAL: [&str; 6] = ["completed", "stopped", "diverged", "failed", "lost", "cancelled"];

pub(super) fn check(evidence: &Evidence, verdict: &mut Verdict) {
    let stored: BTreeMap<AttemptId, &AttemptRow> =
        evidence.snapshot.attempts.iter().map(|row| (row.id, row)).collect();
    for era in eras(evidence) {
        let mut deaths = Deaths::default();
        era.history.iter().for_each(|entry| deaths.note(entry));
        for entry in era.entries() {
            let is_forgotten = evidence.restores.iter().any(|restore| restore.forgets(entry.answered));
            zombies(entry, &deaths, (!is_forgotten).then_some(&stored), verdict);
        }
        order(&era, verdict);
    }
    grants(evidence, &stored, verdict);
    acknowledgements(evidence, &stored, verdict);
    ends(evidence, &stored, verdict);
    charges(evidence, verdict);
    outages(evidence, verdict);
}

/// No lease ends while the database is away, nor for a term after that.
fn outages(evidence: &Evidence, verdict: &mut Verdict) {
    for row in evidence.snapshot.attempts.iter().filter(|row| row.outcome.as_deref() == Some("lost")) {
        let outage = |ended: i64| evidence.outages.iter().find(|outage| outage.contains(&ended));
        if let Some((ended, outage)) = row.ended_ms.and_then(|ended| Some((ended, outage(ended)?))) {
            let (AttemptId { run, number, .. }, since) = (row.id, ended - outage.start());
            let what = format!(
                "attempt {number} of run {run} lost its lease {since} ms after the database had gone away, which a term after its return was not over"
            );
            verdict.add(ViolationKind::LostInOutage, what);
        }
    }
}

/// Outcomes that are the run's own fault. Its training has none: it is the undisturbed run's, which completed.
const BLAMED: [&str; 2] = ["failed", "diverged"];

fn charges(evidence: &Evidence, verdict: &mut Verdict) {
    for row in &evidence.snapshot.attempts {
        if let Some(outcome) = row.outcome.as_deref().filter(|outcome| BLAMED.contains(outcome)) {
            let AttemptId { run, number, .. } = row.id;
            let why = row.message.as_deref().unwrap_or("nobody said why");
            verdict.add(ViolationKind::Charged, format!("attempt {number} of run {run} {outcome}: {why}"));
        }
    }
}

/// Writes of attempts that were dead when they were sent; `stored` is none if the database has forgotten what they came to.
fn zombies(
    entry: &Entry,
    deaths: &Deaths,
    stored: Option<&BTreeMap<AttemptId, &AttemptRow>>,
    verdict: &mut Verdict,
) {
    let was_dead = |attempt: &AttemptId| deaths.was_dead(*attempt, entry.sent);
    let mut accepted = |call: &str, AttemptId { run, number, .. }: AttemptId| {
        let on_purpose = if entry.origin == Origin::Zombie { ", sent on purpose," } else { "" };
        let at = entry.at_ms;
        let what =
            format!("{call} of dead attempt {number} of run {run}{on_purpose} was accepted at {at} ms");
        verdict.add(ViolationKind::ZombieAccepted, what);
    };
    match &entry.what {
        What::Refused { attempt, fenced: true, .. } if was_dead(attempt) => verdict.zombies_refused += 1,
        What::Reported { attempt, .. } if was_dead(attempt) => accepted("report_metrics", *attempt),
        What::Committed { attempt, .. } if was_dead(attempt) => accepted("commit_checkpoint", *attempt),
        What::Rejected { attempt, .. } if was_dead(attempt) => accepted("reject_checkpoint", *attempt),
        What::Accepted { attempt, call } if was_dead(attempt) => accepted(call, *attempt),
        // A repeated end of the attempt that ended so is answered as it was the first time, and changes nothing.
        What::Ended { attempt, ending } if was_dead(attempt) => {
            let outcome = |stored: &BTreeMap<AttemptId, &AttemptRow>| {
                stored.get(attempt).and_then(|row| row.outcome.clone())
            };
            if stored.is_some_and(|stored| outcome(stored).as_deref() != Some(ending.outcome())) {
                accepted(&format!("the end `{}`", ending.outcome()), *attempt);
            }
        }
        What::Renewed { attempts, fenced } => {
            for attempt in attempts.iter().filter(|attempt| was_dead(attempt) && !fenced.contains(attempt)) {
                accepted("renew", *attempt);
            }
        }
        _ => {}
    }
}

/// Numbers of attempts do not go back.
fn order(era: &Era<'_>, verdict: &mut Verdict) {
    let mut newest: BTreeMap<u64, Vec<(u64, u32)>> = BTreeMap::new();
    for entry in era.entries() {
        let What::Granted { attempts, .. } = &entry.what else { continue };
        for AttemptId { run, number, .. } in attempts {
            let grants = newest.entry(*run).or_default();
            if let Some((_, later)) =
                grants.iter().find(|(answered, at)| *answered < entry.sent && at > number)
            {
                let what = format!("run {run}: attempt {number} was granted after attempt {later} had been");
                verdict.add(ViolationKind::Attempts, what);
            }
            grants.push((entry.answered, *number));
        }
    }
}

/// Every grant is in the database, for one claim only.
fn grants(evidence: &Evidence, stored: &BTreeMap<AttemptId, &AttemptRow>, verdict: &mut Verdict) {
    for entry in remembered(evidence) {
        let What::Granted { claim, attempts } = &entry.what else { continue };
        for attempt in attempts {
            let AttemptId { run, number, .. } = *attempt;
            match stored.get(attempt) {
                None => {
                    let what = format!("attempt {number} of run {run} was granted and is not stored");
                    verdict.add(ViolationKind::Attempts, what);
                }
                Some(row) if row.claim != *claim => {
                    let what = format!(
                        "attempt {number} of run {run} was granted to claim {claim}, and is stored as {}'s",
                        row.claim
                    );
                    verdict.add(ViolationKind::Attempts, what);
                }
                Some(_) => {}
            }
        }
    }
}

/// What was acknowledged stays so.
fn acknowledgements(evidence: &Evidence, stored: &BTreeMap<AttemptId, &AttemptRow>, verdict: &mut Verdict) {
    let mut acked: BTreeMap<AttemptId, u64> = BTreeMap::new();
    for entry in remembered(evidence) {
        if let What::Reported { attempt, acked_seq, .. } = &entry.what {
            let highest = acked.entry(*attempt).or_default();
            *highest = (*highest).max(*acked_seq);
        }
    }
    for (attempt, acked) in acked {
        let durable = stored.get(&attempt).map_or(0, |row| row.acked_seq);
        if durable < acked {
            let AttemptId { run, number, .. } = attempt;
            let what = format!(
                "attempt {number} of run {run}: {acked} points were acknowledged, {durable} are on record"
            );
            verdict.add(ViolationKind::Forgotten, what);
        }
    }
}

/// A run ends once, and an end that was acknowledged stands.
fn ends(evidence: &Evidence, stored: &BTreeMap<AttemptId, &AttemptRow>, verdict: &mut Verdict) {
    let mut told = BTreeSet::new();
    for entry in remembered(evidence) {
        if let What::Ended { attempt, ending } = &entry.what {
            told.insert((*attempt, ending.outcome()));
        }
    }
    for (attempt, ending) in told {
        let outcome = stored.get(&attempt).and_then(|row| row.outcome.as_deref());
        if outcome != Some(ending) {
            let AttemptId { run, number, .. } = attempt;
            let what = format!(
                "attempt {number} of run {run} was told that it {ending}, and is stored as {}",
                outcome.unwrap_or("not ended")
            );
            verdict.add(ViolationKind::Ends, what);
        }
    }
    for run in &evidence.snapshot.runs {
        let events = evidence.snapshot.events.iter();
        let transitions =
            events.filter(|event| event.run == run.id && TERMINAL.contains(&event.state.as_str())).count();
        let ended = usize::from(TERMINAL.contains(&run.state.as_str()));
        if transitions != ended {
            let what = format!("run {} is {}, and ended {transitions} times", run.id, run.state);
            verdict.add(ViolationKind::Ends, what);
        }
    }
}
