//! The promises of docs/reliability.md, as far as what is stored of a run shows whether they are kept.
//!
//! Pure functions. `chaos` asks them of real databases after real faults, `simulation` of the simplest store all along, which by its
//! structure cannot have a point twice, or attempts with gaps.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

/// A value of a metric after so many steps of training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point<'a> {
    /// Such as `eval/mean_distance`.
    pub metric: &'a str,
    /// Training steps done.
    pub step: u64,
    /// The 64 bits of the value.
    pub bits: u64,
}

/// An attempt at the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Counts claims of the run, from 1.
    pub number: u32,
    /// Whether it ended as completed.
    pub is_completed: bool,
    /// Points that differed from those of an earlier attempt.
    pub replay_mismatches: u64,
}

/// A checkpoint of the run that was committed and is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint<'a> {
    /// Training steps done.
    pub step: u64,
    /// SHA-256 of its bytes.
    pub sha256: &'a str,
    /// Whether its bytes are there, and are those that were committed.
    pub is_whole: bool,
}

/// What is stored of a run.
#[derive(Debug, Clone)]
pub struct Stored<'a> {
    /// Claims so far.
    pub claims: u32,
    /// Whether the run is completed.
    pub is_completed: bool,
    /// All attempts, by their numbers.
    pub attempts: Vec<Attempt>,
    /// All points, in any order.
    pub points: Vec<Point<'a>>,
    /// All checkpoints in use.
    pub checkpoints: Vec<Checkpoint<'a>>,
}

/// Which promise is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// Promise 2: a point is stored more than once.
    Doubled,
    /// Promise 2: on one machine training again gave other points.
    Replay,
    /// Promise 4: attempts do not count the run's claims, from 1, each once.
    Attempts,
    /// Promise 4: not exactly the completed run has a completed attempt, and only one.
    Ends,
    /// Promise 5: a point is missing of a step before a checkpoint's, or of any step of a completed run.
    Missing,
    /// Promise 5: there is a point that an undisturbed run has not.
    Extra,
    /// Promise 5: a point has other bits than that of an undisturbed run.
    Differs,
    /// What the run would resume from is not there whole.
    CheckpointGone,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which one.
    pub promise: Promise,
    /// How, in words that go on after the run's name.
    pub what: String,
}

impl Broken {
    fn new(promise: Promise, what: String) -> Broken {
        Broken { promise, what }
    }
}

/// All that is broken, whatever has happened to the run so far. `reference` are the points that it comes to undisturbed; none: that is
/// not known.
#[must_use]
pub fn broken(run: &Stored<'_>, reference: Option<&[Point<'_>]>) -> Vec<Broken> {
    let mut broken = attempts(run);
    broken.extend(doubled(run));
    broken.extend(checkpoints(run));
    if let Some(reference) = reference {
        broken.extend(curves(run, reference));
    }
    broken
}

fn attempts(run: &Stored<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let numbers: Vec<u32> = run.attempts.iter().map(|attempt| attempt.number).collect();
    if !numbers.iter().copied().eq(1..=run.claims) {
        let what = format!("was claimed {} times, and has attempts {numbers:?}", run.claims);
        broken.push(Broken::new(Promise::Attempts, what));
    }
    let completed = run.attempts.iter().filter(|attempt| attempt.is_completed).count();
    if completed != usize::from(run.is_completed) {
        let state = if run.is_completed { "completed" } else { "not completed" };
        let what = format!("is {state}, and has {completed} completed attempts");
        broken.push(Broken::new(Promise::Ends, what));
    }
    for Attempt { number, replay_mismatches, .. } in &run.attempts {
        if *replay_mismatches > 0 {
            let what = format!(
                "gave, in attempt {number}, {replay_mismatches} points other values than in an earlier one, on one machine"
            );
            broken.push(Broken::new(Promise::Replay, what));
        }
    }
    broken
}

fn doubled(run: &Stored<'_>) -> Vec<Broken> {
    let mut times: BTreeMap<(&str, u64), usize> = BTreeMap::new();
    for point in &run.points {
        *times.entry((point.metric, point.step)).or_default() += 1;
    }
    let doubled = times.into_iter().filter(|(_, times)| *times > 1);
    let what = |((metric, step), times)| format!("has `{metric}` at step {step} {times} times");
    doubled.map(|of| Broken::new(Promise::Doubled, what(of))).collect()
}

fn checkpoints(run: &Stored<'_>) -> Vec<Broken> {
    let gone = run.checkpoints.iter().filter(|checkpoint| !checkpoint.is_whole);
    let what = |of: &Checkpoint<'_>| {
        format!("would resume at step {} from {}, which is not there whole", of.step, of.sha256)
    };
    gone.map(|checkpoint| Broken::new(Promise::CheckpointGone, what(checkpoint))).collect()
}

fn curves(run: &Stored<'_>, reference: &[Point<'_>]) -> Vec<Broken> {
    let mut broken = Vec::new();
    let by_place = |points: &[Point<'_>]| -> BTreeMap<(String, u64), u64> {
        points.iter().map(|point| ((point.metric.to_owned(), point.step), point.bits)).collect()
    };
    let (stored, due) = (by_place(&run.points), by_place(reference));
    for ((metric, step), bits) in &stored {
        match due.get(&(metric.clone(), *step)) {
            None => {
                let what = format!("has `{metric}` at step {step}, which an undisturbed run has not");
                broken.push(Broken::new(Promise::Extra, what));
            }
            Some(expected) if expected != bits => {
                let (found, expected) = (f64::from_bits(*bits), f64::from_bits(*expected));
                let what = format!("has {found:?} as `{metric}` at step {step}, not {expected:?}");
                broken.push(Broken::new(Promise::Differs, what));
            }
            Some(_) => {}
        }
    }
    // A checkpoint is committed once the points that were reported before it are stored. Those of its own step may be reported after it.
    let safe = run.checkpoints.iter().map(|checkpoint| checkpoint.step).max().unwrap_or_default();
    let is_due = |step: u64| run.is_completed || step < safe;
    for (metric, step) in due.keys().filter(|place| is_due(place.1) && !stored.contains_key(*place)) {
        broken.push(Broken::new(Promise::Missing, format!("has no `{metric}` at step {step}")));
    }
    broken
}
