//! What the machine lacks is not the run's fault, and the worker is told so.

use std::fs;

use crate::trainer::{ACAI, Trainer, member};
use acai_sweep::trainer_protocol::{Event, FailureKind};
use acai_sweep::training::Dataset;

/// Whose fault the only run's failure was, at which step, and why.
fn failure(trainer: Trainer) -> (FailureKind, u64, String) {
    let (mut events, status, log) = trainer.end();
    assert!(status.success(), "{log}");
    match events.pop() {
        Some(Event::Failed { step, kind, message, .. }) => (kind, step, message),
        last => panic!("the run ended with {last:?}: {log}"),
    }
}

#[test]
fn a_dataset_that_is_missing_or_cannot_be_read_is_the_machines_fault() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let damaged = folder.path().join("damaged");
    fs::create_dir(&damaged).expect("it can be made");
    for number in 0..10 {
        fs::write(damaged.join(format!("{number}.png")), "no picture").expect("it can be written");
    }
    for pictures in [damaged, folder.path().join("missing")] {
        let mut run = member(1, ACAI, 10, folder.path());
        let dataset = format!("images:{}", pictures.display());
        run.config.dataset = Dataset::from_name(&dataset).expect("an absolute path");
        let (kind, step, message) = failure(Trainer::start(vec![run]));
        assert_eq!((kind, step), (FailureKind::Machine, 0), "{message}");
        assert!(message.contains(&pictures.display().to_string()), "{message}");
    }
}

#[test]
fn a_checkpoint_that_does_not_fit_on_the_disk_is_the_machines_fault_and_leaves_no_half_of_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // A write beyond a limit on files fails like one on a full disk when its signal is ignored.
    let full = "trap '' XFSZ; ulimit -f 4";
    let run = member(1, ACAI, 10, folder.path());
    let (kind, step, message) = failure(Trainer::start_limited(full, vec![run]));
    // The checkpoint is of step 8, and the run has ten.
    assert!(kind == FailureKind::Machine && (8..=10).contains(&step), "{kind:?} at step {step}: {message}");
    assert!(message.contains("cannot write checkpoint") && message.contains("too large"), "{message}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn memory_that_runs_out_is_the_machines_fault() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut run = member(1, ACAI, 1, folder.path());
    // One of its tensors alone takes 2 GiB.
    (run.config.depth, run.config.batch) = (128, 4096);
    let (kind, _, message) = failure(Trainer::start_limited("ulimit -v 3000000", vec![run]));
    assert_eq!(kind, FailureKind::Machine, "{message}");
    assert!(message.contains("memory"), "{message}");
}

#[test]
fn a_picture_that_cannot_be_written_is_said_and_the_run_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = member(1, ACAI, 14, folder.path());
    let taken = folder.path().join("interpolations-000000012.png");
    fs::create_dir(&taken).expect("it can be made");
    let (events, status, log) = Trainer::start(vec![run]).end();
    assert!(status.success(), "{log}");
    assert_eq!(events.last(), Some(&Event::Finished { run: 1, step: 14 }), "{log}");
    let pictures = events.iter().filter(|event| matches!(event, Event::Artifact { .. })).count();
    assert_eq!(pictures, 5, "three at each of two evaluations, less the one that could not be written");
    assert!(log.contains("cannot write picture") && log.contains(&taken.display().to_string()), "{log}");
}
