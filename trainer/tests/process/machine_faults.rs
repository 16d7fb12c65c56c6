//! What the machine lacks is not the run's fault, and the worker is told so.

use std::fs;

use crate::trainer::{ACAI, Trainer, checkpoint, member};
use acai_sweep::trainer_protocol::{Event, FailureKind, Member};
use acai_sweep::training::{Dataset, Model};

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
fn a_group_that_needs_more_memory_than_there_is_goes_on_as_smaller_ones_to_the_same_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let group = |of: &str, size: u64| -> Vec<Member> {
        let member = |run: u64| {
            let mut member = member(run, Model::Baseline, 1, &folder.path().join(of).join(run.to_string()));
            (member.config.depth, member.config.batch, member.config.total_kimg) = (4, 2048, 2.0);
            member
        };
        (1..=size).map(member).collect()
    };
    // Of four runs, what the first layer makes takes 128 MiB, and a step needs several of these at a time: four fit into
    // 2.0 million KiB, two into 1.3 million. What is freed is given back at once, so that it can be mapped again.
    let freed = "export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=131072";
    let scarce = format!("{freed}; unset RUST_BACKTRACE; ulimit -v 1600000");
    let (events, status, log) = Trainer::start_limited(&scarce, group("limited", 4)).end();
    assert!(status.success(), "{log}");
    assert!(
        log.contains("4 runs at once need more memory than there is; going on with 2 and 2 in turns"),
        "{log}"
    );
    let finished = |event: &&Event| matches!(event, Event::Finished { step: 1, .. });
    assert_eq!(events.iter().filter(finished).count(), 4, "{log}");
    let (_, status, log) = Trainer::start(group("free", 2)).end();
    assert!(status.success() && !log.contains("memory"), "{log}");
    let last = |of: &str| fs::read(checkpoint(&folder.path().join(of).join("2"), 1)).expect("a checkpoint");
    assert!(last("limited") == last("free"), "the final checkpoints differ");
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
