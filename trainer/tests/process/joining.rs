//! Runs that join a group in training.

use std::fs;
use std::path::{Path, PathBuf};

use acai_sweep::trainer_protocol::{Command, Event, FailureKind, Member};
use acai_sweep::training::Model;

use crate::trainer::{ACAI, Trainer, checkpoint, member};

const STEPS: u32 = 40;

fn run(run: u64, of: &Path) -> Member {
    member(run, ACAI, STEPS, &of.join(run.to_string()))
}

/// The trained model of the run.
fn trained(run: u64, of: &Path) -> Vec<u8> {
    fs::read(checkpoint(&of.join(run.to_string()), STEPS.into())).expect("the last step has a checkpoint")
}

/// A trainer that trains these runs, and stays.
fn start(group: Vec<Member>) -> Trainer {
    let mut trainer = Trainer::spawn();
    trainer.until(|event| matches!(event, Event::Ready { .. }));
    trainer.order(&Command::Start { group, stay: true });
    trainer
}

/// Waits until as many runs as these have finished.
fn until_finished(trainer: &mut Trainer, runs: usize) {
    for _ in 0..runs {
        trainer.until(|event| matches!(event, Event::Finished { .. }));
    }
}

/// Has each of these groups trained by a process of its own.
fn train(groups: impl IntoIterator<Item = Vec<Member>>) {
    for group in groups {
        let (_, status, log) = Trainer::start(group).end();
        assert!(status.success(), "{log}");
    }
}

#[test]
fn runs_that_join_a_group_end_with_the_bits_of_any_group_and_so_do_those_that_they_join() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (together, joined) = (folder.path().join("together"), folder.path().join("joined"));
    train([(1..=4).map(|number| run(number, &together)).collect()]);

    let mut trainer = start(vec![run(1, &joined), run(2, &joined)]);
    trainer.until(|event| matches!(event, Event::Checkpoint { run: 1, step: 8, .. }));
    trainer.order(&Command::Stop { run: 2 });
    let Event::Stopped { step, .. } = trainer.until(|event| matches!(event, Event::Stopped { run: 2, .. }))
    else {
        unreachable!("this is waited for")
    };
    // Run 1 trains beside a copy of itself, in whose place comes run 3.
    trainer.order(&Command::Join { group: vec![run(3, &joined)] });
    let resume = Some(checkpoint(&joined.join("2"), step));
    // In the midst of their training, and from a checkpoint.
    trainer.until(|event| matches!(event, Event::Checkpoint { run: 3, step: 8, .. }));
    let resumed = Member { resume, ..member(2, ACAI, STEPS, &joined.join("2 again")) };
    trainer.order(&Command::Join { group: vec![run(4, &joined), resumed] });
    until_finished(&mut trainer, 4);
    trainer.order(&Command::Shutdown);
    let (_, status, log) = trainer.end();
    assert!(status.success(), "{log}");
    for run in [1, 3, 4] {
        assert!(trained(run, &joined) == trained(run, &together), "run {run}");
    }
    let again = fs::read(checkpoint(&joined.join("2 again"), STEPS.into())).expect("a checkpoint");
    assert!(again == trained(2, &together), "run 2");
}

#[test]
fn a_run_that_is_trained_alone_keeps_its_bits_when_others_come() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (alone, joined) = (folder.path().join("alone"), folder.path().join("joined"));
    train([vec![run(1, &alone)], vec![run(2, &alone), run(3, &alone)]]);

    let mut trainer = start(vec![run(1, &joined)]);
    trainer.until(|event| matches!(event, Event::Checkpoint { run: 1, step: 8, .. }));
    trainer.order(&Command::Join { group: vec![run(2, &joined), run(3, &joined)] });
    until_finished(&mut trainer, 3);
    for run in 1..=3 {
        assert!(trained(run, &joined) == trained(run, &alone), "run {run}");
    }
}

#[test]
fn a_run_that_joins_when_the_last_one_has_just_ended_is_trained() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut trainer = start(vec![run(1, folder.path())]);
    until_finished(&mut trainer, 1);
    trainer.order(&Command::Join { group: vec![run(2, folder.path())] });
    until_finished(&mut trainer, 1);
    trainer.order(&Command::Shutdown);
    let (events, status, log) = trainer.end();
    assert!(status.success() && events.is_empty(), "{events:?} {log}");
}

#[test]
fn runs_that_cannot_join_fail_with_the_reason_and_keep_nobody() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut trainer = start(vec![run(1, folder.path()), run(2, folder.path())]);
    trainer.until(|event| matches!(event, Event::Metric { .. }));
    let damaged = folder.path().join("damaged.safetensors");
    fs::write(&damaged, "no checkpoint").expect("it can be written");
    let refused = Member { resume: Some(damaged), ..run(3, folder.path()) };
    let mut senseless = run(4, folder.path());
    senseless.config.batch = 0;
    trainer.order(&Command::Join { group: vec![refused, senseless, run(5, folder.path())] });
    let mut failed = Vec::new();
    let mut finished = 0;
    while finished < 3 {
        match trainer.next().expect("the runs end before the trainer does") {
            Event::Failed { run, kind, .. } => failed.push((run, kind)),
            Event::Finished { .. } => finished += 1,
            _ => {}
        }
    }
    failed.sort_by_key(|(run, _)| *run);
    assert_eq!(failed, [(3, FailureKind::Checkpoint), (4, FailureKind::Error)]);
}

#[test]
fn runs_that_are_trained_already_and_runs_that_come_first_of_all_break_the_protocol() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut trainer = start(vec![run(1, folder.path())]);
    trainer.order(&Command::Join { group: vec![run(1, folder.path())] });
    let (_, status, log) = trainer.end();
    assert!(status.code() == Some(1) && log.contains("is being trained already"), "{log}");

    let mut trainer = Trainer::spawn();
    trainer.order(&Command::Join { group: vec![run(1, folder.path())] });
    let (_, status, log) = trainer.end();
    assert!(status.code() == Some(1) && log.contains("the first command must be `start`"), "{log}");
}

#[test]
fn a_run_joins_only_as_many_others_as_fit_into_memory() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // As large as those of `machine_faults`: of four runs two fit.
    let large = |of: &str, run: u64| {
        let mut run = member(run, Model::Baseline, 1, &folder.path().join(of).join(run.to_string()));
        (run.config.depth, run.config.batch, run.config.total_kimg) = (4, 2048, 12.0);
        run.config.eval_kimg = 12.0;
        run.checkpoint_kimg = 2.0;
        run
    };
    let freed = "export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=131072";
    let scarce = format!("{freed}; unset RUST_BACKTRACE; ulimit -v 1600000");
    let mut trainer = Trainer::limited(&scarce);
    trainer.until(|event| matches!(event, Event::Ready { .. }));
    let group = (1..=4).map(|run| large("scarce", run)).collect();
    trainer.order(&Command::Start { group, stay: true });
    trainer.until(|event| matches!(event, Event::Checkpoint { step: 1, .. }));
    trainer.order(&Command::Stop { run: 1 });
    trainer.until(|event| matches!(event, Event::Stopped { run: 1, .. }));
    trainer.order(&Command::Join { group: vec![large("scarce", 5)] });
    until_finished(&mut trainer, 4);
    trainer.order(&Command::Shutdown);
    let (_, status, log) = trainer.end();
    assert!(status.success(), "{log}");
    assert_eq!(log.matches("more memory than there is").count(), 1, "{log}");
    train([vec![large("free", 5), large("free", 2)]]);
    let last = |of: &str, run: u64| -> Vec<u8> {
        let folder: PathBuf = folder.path().join(of).join(run.to_string());
        fs::read(checkpoint(&folder, 6)).expect("a checkpoint")
    };
    for run in [2, 5] {
        assert!(last("scarce", run) == last("free", run), "run {run}");
    }
}
