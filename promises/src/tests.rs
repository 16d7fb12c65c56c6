//! Each broken promise is named, and nothing else.

use super::*;

fn curve(steps: std::ops::RangeInclusive<u64>) -> Vec<Point<'static>> {
    steps.map(|step| Point { metric: "train/loss", step, bits: (step as f64).to_bits() }).collect()
}

/// A run whose second attempt has points up to step 4, and checkpoints of steps 1 and 3.
fn in_order() -> Stored<'static> {
    let attempt = |number| Attempt { number, is_completed: false, replay_mismatches: 0 };
    let checkpoint = |step| Checkpoint { step, sha256: "ab", is_whole: true };
    Stored {
        claims: 2,
        is_completed: false,
        attempts: vec![attempt(1), attempt(2)],
        points: curve(0..=4),
        checkpoints: vec![checkpoint(3), checkpoint(1)],
    }
}

/// The promises that are broken by this change.
fn broken_by(change: impl FnOnce(&mut Stored<'static>)) -> Vec<Promise> {
    let mut run = in_order();
    change(&mut run);
    broken(&run, Some(&curve(0..=6))).into_iter().map(|broken| broken.promise).collect()
}

fn complete(run: &mut Stored<'static>) {
    run.is_completed = true;
    run.attempts[1].is_completed = true;
    run.points = curve(0..=6);
}

#[test]
fn what_is_in_order_breaks_no_promise() {
    assert_eq!(broken_by(|_| ()), []);
    assert_eq!(broken_by(complete), []);
    // Points from the step of the last checkpoint on may still come.
    assert_eq!(broken_by(|run| run.points.truncate(3)), []);
}

#[test]
fn each_broken_promise_is_named() {
    assert_eq!(broken_by(|run| run.points.extend(curve(2..=2))), [Promise::Doubled]);
    assert_eq!(broken_by(|run| run.points.extend(curve(7..=7))), [Promise::Extra]);
    assert_eq!(broken_by(|run| run.points[4].bits += 1), [Promise::Differs]);
    assert_eq!(broken_by(|run| run.points.truncate(2)), [Promise::Missing]);
    assert_eq!(
        broken_by(|run| {
            complete(run);
            run.points.truncate(6);
        }),
        [Promise::Missing]
    );
    assert_eq!(broken_by(|run| run.attempts[1].replay_mismatches = 1), [Promise::Replay]);
    assert_eq!(broken_by(|run| run.claims = 3), [Promise::Attempts]);
    assert_eq!(broken_by(|run| run.attempts[0].number = 2), [Promise::Attempts]);
    assert_eq!(broken_by(|run| run.attempts[0].is_completed = true), [Promise::Ends]);
    assert_eq!(
        broken_by(|run| {
            complete(run);
            run.attempts[0].is_completed = true;
        }),
        [Promise::Ends]
    );
    assert_eq!(broken_by(|run| run.checkpoints[1].is_whole = false), [Promise::CheckpointGone]);
}

#[test]
fn without_a_reference_a_run_is_judged_by_itself() {
    let mut run = in_order();
    run.points.extend(curve(2..=2));
    let found = broken(&run, None);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].what, "has `train/loss` at step 2 2 times");
}
