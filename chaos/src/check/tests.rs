//! The checker bites: each broken promise, planted in evidence that is otherwise in order, is named.

use super::snapshot::{
    AttemptRow, CheckpointRow, EventRow, Evidence, FinalWeights, PointRow, ReferenceRun, RunRow, Snapshot,
};
use super::{ViolationKind, check};
use crate::journal::{AttemptId, Ending, Entry, Origin, Point, Restore, What};

const RUN: u64 = 7;

fn attempt(number: u32) -> AttemptId {
    AttemptId { run: RUN, number, token: number.into() }
}

fn point(step: u64) -> Point {
    Point { name: "train/loss".into(), step, bits: (step as f64 * 0.1).to_bits() }
}

/// The `place`-th call, answered before the next is sent.
fn entry(place: u64, what: What) -> Entry {
    Entry {
        at_ms: place,
        sent: 2 * place,
        answered: 2 * place + 1,
        worker: 0,
        origin: Origin::Worker,
        told: true,
        what,
    }
}

fn granted(number: u32) -> What {
    What::Granted { claim: format!("claim-{number}"), attempts: vec![attempt(number)] }
}

fn reported(number: u32, steps: std::ops::RangeInclusive<u64>) -> What {
    let points: Vec<Point> = steps.map(point).collect();
    What::Reported { attempt: attempt(number), first_seq: 1, acked_seq: points.len() as u64, points }
}

fn fenced(number: u32) -> What {
    What::Refused {
        attempt: attempt(number),
        call: "report_metrics".into(),
        fenced: true,
        message: String::new(),
    }
}

/// A run whose first attempt was lost after two of four points; its zombie was refused, and its second attempt
/// trained it from the start.
fn in_order() -> Evidence {
    let completed = What::Ended { attempt: attempt(2), ending: Ending::Completed };
    let history = [
        granted(1),
        reported(1, 1..=2),
        granted(2),
        fenced(1),
        reported(2, 1..=4),
        completed.clone(),
        completed,
    ];
    let stored =
        |step: u64| PointRow { run: RUN, point: point(step), attempt: if step <= 2 { 1 } else { 2 } };
    let row = |number, acked_seq, outcome: &str| AttemptRow {
        id: attempt(number),
        claim: format!("claim-{number}"),
        acked_seq,
        replay_mismatches: 0,
        ended_ms: Some(i64::from(number) * 1000),
        outcome: Some(outcome.into()),
        message: None,
    };
    let event = |state: &str| EventRow { run: RUN, state: state.into() };
    let run = RunRow {
        id: RUN,
        sweep: "s".into(),
        index: 0,
        state: "completed".into(),
        attempt: 2,
        total_steps: 4,
    };
    let reference = ReferenceRun { index: 0, points: (1..=4).map(point).collect(), weights: "0123".into() };
    Evidence {
        journal: history.into_iter().zip(0..).map(|(what, place)| entry(place, what)).collect(),
        snapshot: Snapshot {
            runs: vec![run],
            attempts: vec![row(1, 2, "lost"), row(2, 4, "completed")],
            points: (1..=4).map(stored).collect(),
            checkpoints: vec![CheckpointRow { run: RUN, step: 4, sha256: "ab".into(), is_committed: true }],
            events: ["running", "queued", "running", "completed"].map(event).into(),
        },
        restores: vec![],
        outages: vec![],
        references: [("s".to_owned(), vec![reference])].into(),
        weights: vec![FinalWeights { run: RUN, sha256: "0123".into(), place: "machine 1".into() }],
        whole_blobs: ["ab".to_owned()].into(),
    }
}

/// The kinds of violations that `plant` makes, in the order of their kinds.
#[track_caller]
fn found(plant: impl FnOnce(&mut Evidence)) -> Vec<ViolationKind> {
    let mut evidence = in_order();
    plant(&mut evidence);
    let verdict = check(&evidence);
    assert!(verdict.violations.iter().all(|violation| violation.what.contains("run 7")), "{verdict:?}");
    verdict.counts().into_keys().collect()
}

#[test]
fn evidence_in_order_is_in_order() {
    let verdict = check(&in_order());
    assert_eq!(verdict.violations, []);
    assert_eq!((verdict.points_acknowledged, verdict.zombies_refused), (6, 1));
    assert_eq!((verdict.completed, verdict.bit_equal), (1, 1));
}

#[test]
fn an_attempt_that_was_blamed_on_its_run_is_named() {
    let kinds = found(|evidence| evidence.snapshot.attempts[0].outcome = Some("failed".into()));
    assert_eq!(kinds, [ViolationKind::Charged]);
}

#[test]
fn an_acknowledged_point_that_is_not_stored_is_lost() {
    let kinds = found(|evidence| drop(evidence.snapshot.points.remove(1)));
    assert_eq!(kinds, [ViolationKind::Lost, ViolationKind::Missing]);
}

#[test]
fn a_point_of_the_tail_that_nobody_acknowledged_is_missing_only() {
    let kinds = found(|evidence| {
        evidence.snapshot.points.pop();
        if let What::Reported { acked_seq, points, .. } = &mut evidence.journal[4].what {
            *acked_seq = 3;
            points.pop();
        }
    });
    assert_eq!(kinds, [ViolationKind::Missing]);
}

#[test]
fn a_point_that_is_stored_twice_is_doubled() {
    let kinds = found(|evidence| evidence.snapshot.points.push(evidence.snapshot.points[0].clone()));
    assert_eq!(kinds, [ViolationKind::Doubled]);
}

#[test]
fn one_bit_of_a_point_is_altered_and_differs() {
    let kinds = found(|evidence| evidence.snapshot.points[3].point.bits ^= 1);
    assert_eq!(kinds, [ViolationKind::Altered, ViolationKind::Differs]);
}

#[test]
fn the_sign_of_a_zero_is_not_promised() {
    let kinds = found(|evidence| {
        for entry in &mut evidence.journal {
            if let What::Reported { points, .. } = &mut entry.what {
                points[0].bits = (-0.0_f64).to_bits();
            }
        }
        evidence.snapshot.points[0].point.bits = 0;
        evidence.references.values_mut().flatten().for_each(|run| run.points[0].bits = 0);
    });
    assert_eq!(kinds, []);
}

#[test]
fn a_point_with_a_wrong_step_is_lost_and_extra() {
    let kinds = found(|evidence| evidence.snapshot.points[3].point.step = 9);
    assert_eq!(kinds, [ViolationKind::Lost, ViolationKind::Missing, ViolationKind::Extra]);
}

#[test]
fn points_of_a_gap_that_were_not_taken_are_not_lost() {
    let kinds = found(|evidence| {
        let gap = What::Reported { attempt: attempt(2), first_seq: 9, acked_seq: 0, points: vec![point(99)] };
        let mut early = entry(4, gap);
        early.sent -= 1;
        evidence.journal.push(early);
    });
    assert_eq!(kinds, []);
}

#[test]
fn a_report_of_a_dead_attempt_that_is_accepted_is_a_zombie() {
    let kinds = found(|evidence| evidence.journal.push(entry(20, reported(1, 1..=2))));
    assert_eq!(kinds, [ViolationKind::ZombieAccepted]);
}

#[test]
fn a_report_that_was_under_way_when_its_attempt_died_is_no_zombie() {
    let kinds = found(|evidence| {
        let mut slow = entry(20, reported(1, 1..=2));
        slow.sent = 2;
        evidence.journal.push(slow);
    });
    assert_eq!(kinds, []);
}

#[test]
fn a_report_after_its_run_was_completed_is_a_zombie() {
    let kinds = found(|evidence| evidence.journal.push(entry(20, reported(2, 1..=4))));
    assert_eq!(kinds, [ViolationKind::ZombieAccepted]);
}

#[test]
fn an_end_of_a_dead_attempt_that_did_not_end_so_is_a_zombie() {
    let release = What::Ended { attempt: attempt(1), ending: Ending::Released };
    let kinds = found(|evidence| evidence.journal.push(entry(20, release)));
    assert_eq!(kinds, [ViolationKind::ZombieAccepted, ViolationKind::Ends]);
}

#[test]
fn a_renewal_or_a_checkpoint_of_a_dead_attempt_is_a_zombie() {
    let renewed = What::Renewed { attempts: vec![attempt(1)], fenced: vec![] };
    let committed = What::Committed { attempt: attempt(1), step: 2, sha256: "ff".into() };
    for zombie in [renewed, committed] {
        let kinds = found(|evidence| evidence.journal.push(entry(20, zombie)));
        assert_eq!(kinds, [ViolationKind::ZombieAccepted]);
    }
}

#[test]
fn an_attempt_granted_to_two_claims_or_after_a_later_one_or_never_stored_is_miscounted() {
    let twice = What::Granted { claim: "another".into(), attempts: vec![attempt(2)] };
    let back = granted(1);
    let never = granted(3);
    for grant in [twice, back, never] {
        let kinds = found(|evidence| evidence.journal.push(entry(20, grant)));
        assert_eq!(kinds, [ViolationKind::Attempts]);
    }
    let kinds = found(|evidence| evidence.snapshot.runs[0].attempt = 3);
    assert_eq!(kinds, [ViolationKind::Attempts]);
}

#[test]
fn an_acknowledgement_beyond_what_is_on_record_is_forgotten() {
    let kinds = found(|evidence| evidence.snapshot.attempts[1].acked_seq = 3);
    assert_eq!(kinds, [ViolationKind::Forgotten]);
}

#[test]
fn a_checkpoint_without_its_bytes_is_gone_and_one_that_is_older_than_acknowledged_is_named() {
    assert_eq!(found(|evidence| evidence.whole_blobs.clear()), [ViolationKind::CheckpointGone]);
    let committed = What::Committed { attempt: attempt(2), step: 5, sha256: "cd".into() };
    let mut early = entry(4, committed);
    early.sent -= 1;
    assert_eq!(found(|evidence| evidence.journal.push(early)), [ViolationKind::Forgotten]);
}

#[test]
fn a_checkpoint_taken_out_of_use_for_nothing_and_a_completed_run_without_its_last_one_are_named() {
    let rejected = What::Rejected { attempt: attempt(2), sha256: "ab".into() };
    let mut rejected = entry(4, rejected);
    rejected.sent -= 1;
    let kinds = found(|evidence| evidence.journal.push(rejected));
    assert_eq!(kinds, [ViolationKind::CheckpointGone]);
    let kinds = found(|evidence| evidence.snapshot.checkpoints[0].step = 3);
    assert_eq!(kinds, [ViolationKind::CheckpointGone]);
    let no_room = entry(4, What::NoRoom { attempt: attempt(2) });
    let no_blobs = entry(4, What::NoBlobs);
    let of_another = Entry { worker: 1, ..no_blobs.clone() };
    let afterwards = entry(20, What::NoBlobs);
    for (excuse, kinds) in [
        (no_room, &[][..]),
        (no_blobs, &[]),
        (of_another, &[ViolationKind::CheckpointGone]),
        (afterwards, &[ViolationKind::CheckpointGone]),
    ] {
        let found = found(|evidence| {
            evidence.snapshot.checkpoints[0].step = 3;
            evidence.journal.push(excuse);
        });
        assert_eq!(found, kinds);
    }
}

#[test]
fn a_second_end_or_an_end_undone_is_named() {
    let kinds =
        found(|evidence| evidence.snapshot.events.push(EventRow { run: RUN, state: "failed".into() }));
    assert_eq!(kinds, [ViolationKind::Ends]);
    let kinds = found(|evidence| evidence.snapshot.attempts[1].outcome = None);
    assert_eq!(kinds, [ViolationKind::ZombieAccepted, ViolationKind::Ends]);
}

#[test]
fn a_replay_that_differed_is_named() {
    let kinds = found(|evidence| evidence.snapshot.attempts[1].replay_mismatches = 1);
    assert_eq!(kinds, [ViolationKind::Replay]);
}

#[test]
fn a_run_that_three_machines_could_not_train_may_be_given_up_and_two_are_not_enough() {
    for (machines, is_unfinished) in [(3, false), (2, true)] {
        let kinds = found(|evidence| {
            evidence.snapshot.runs[0].state = "lost".into();
            let (outcome, message) = (Some("released".into()), Some("no space left".into()));
            let faulty = AttemptRow { outcome, message, ..evidence.snapshot.attempts[0].clone() };
            evidence.snapshot.attempts.extend(vec![faulty; machines]);
        });
        assert_eq!(kinds.contains(&ViolationKind::Unfinished), is_unfinished, "{machines}: {kinds:?}");
    }
}

#[test]
fn a_run_that_never_completed_is_unfinished() {
    let kinds = found(|evidence| {
        evidence.snapshot.runs[0].state = "queued".into();
        evidence.snapshot.events.pop();
        evidence.snapshot.attempts[1].outcome = Some("lost".into());
        evidence.journal.truncate(5);
    });
    assert_eq!(kinds, [ViolationKind::Unfinished]);
}

#[test]
fn other_weights_and_no_weights_are_named() {
    let kinds = found(|evidence| evidence.weights[0].sha256 = "4567".into());
    assert_eq!(kinds, [ViolationKind::WeightsDiffer]);
    assert_eq!(found(|evidence| evidence.weights.clear()), [ViolationKind::WeightsGone]);
}

/// The same history, of which everything after the first grant is forgotten: a backup of that moment served since place
/// 20, and the run was granted, trained and completed again.
fn in_order_after_a_restoration() -> Evidence {
    let mut evidence = in_order();
    let again = AttemptId { token: 99, ..attempt(2) };
    let mut since = evidence.journal.clone();
    since.drain(..2);
    for (entry, place) in since.iter_mut().zip(21..) {
        let (sent, answered) = (2 * place, 2 * place + 1);
        let what = match entry.what.clone() {
            What::Granted { .. } => What::Granted { claim: "claim-2".into(), attempts: vec![again] },
            What::Reported { first_seq, acked_seq, points, .. } => {
                What::Reported { attempt: again, first_seq, acked_seq, points }
            }
            What::Ended { ending, .. } => What::Ended { attempt: again, ending },
            what => what,
        };
        *entry = Entry { sent, answered, what, ..entry.clone() };
    }
    evidence.journal.extend(since);
    evidence.restores = vec![Restore { backup: 2, restored: 40 }];
    evidence.snapshot.attempts[0].acked_seq = 0;
    evidence.snapshot.attempts[1].id = again;
    evidence
}

#[test]
fn what_was_acknowledged_after_a_backup_does_not_count_until_it_is_given_again() {
    assert_eq!(check(&in_order_after_a_restoration()).violations, []);
}

#[test]
fn what_was_acknowledged_before_a_backup_counts() {
    let mut evidence = in_order_after_a_restoration();
    evidence.restores[0].backup = 6;
    let kinds: Vec<_> = check(&evidence).counts().into_keys().collect();
    assert_eq!(kinds, [ViolationKind::ZombieAccepted, ViolationKind::Attempts, ViolationKind::Forgotten]);
}

#[test]
fn an_attempt_whose_grant_was_forgotten_writes_nothing_after_another_had_its_number() {
    let mut evidence = in_order_after_a_restoration();
    evidence.journal.push(entry(60, reported(2, 1..=4)));
    let kinds: Vec<_> = check(&evidence).counts().into_keys().collect();
    assert_eq!(kinds, [ViolationKind::ZombieAccepted, ViolationKind::Forgotten]);
}

#[test]
fn a_zombie_before_the_restoration_is_named_too() {
    let mut evidence = in_order_after_a_restoration();
    let mut zombie = entry(15, reported(1, 1..=2));
    zombie.sent = 30;
    evidence.journal.push(zombie);
    let kinds: Vec<_> = check(&evidence).counts().into_keys().collect();
    assert_eq!(kinds, [ViolationKind::ZombieAccepted]);
}

#[test]
fn a_checkpoint_of_before_a_restoration_may_turn_out_to_be_gone() {
    let mut evidence = in_order_after_a_restoration();
    let committed = What::Committed { attempt: attempt(1), step: 2, sha256: "cd".into() };
    evidence.journal.push(Entry { sent: 3, answered: 5, ..entry(0, committed) });
    let rejected = What::Rejected { attempt: AttemptId { token: 99, ..attempt(2) }, sha256: "cd".into() };
    evidence.journal.push(Entry { sent: 46, answered: 47, ..entry(0, rejected) });
    assert_eq!(check(&evidence).violations, []);
    evidence.journal.last_mut().unwrap().sent = 39;
    let kinds: Vec<_> = check(&evidence).counts().into_keys().collect();
    assert_eq!(kinds, [ViolationKind::CheckpointGone]);
}

#[test]
fn an_attempt_that_was_lost_while_the_database_was_away_is_named() {
    let kinds = found(|evidence| evidence.outages.push(900..=1100));
    assert_eq!(kinds, [ViolationKind::LostInOutage]);
    assert_eq!(found(|evidence| evidence.outages.push(1001..=3000)), []);
}

#[test]
fn a_run_that_was_submitted_and_is_not_there_is_unfinished() {
    let mut evidence = in_order();
    evidence.references.get_mut("s").unwrap().push(ReferenceRun {
        index: 1,
        points: vec![],
        weights: String::new(),
    });
    let kinds: Vec<_> = check(&evidence).counts().into_keys().collect();
    assert_eq!(kinds, [ViolationKind::Unfinished]);
}
