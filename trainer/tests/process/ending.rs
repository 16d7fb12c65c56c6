//! How runs end: by themselves, one after the other, when they are stopped, and when everything is.

use acai_sweep::trainer_protocol::{Command, Event, Member};
use acai_sweep::training::Model;
use rustix::process::Signal;

use crate::trainer::{ACAI, ENDLESS, Trainer, checkpoint, member};

#[test]
fn of_runs_that_have_all_their_steps_one_has_ended_before_the_next_is_clustered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let group = vec![member(1, ACAI, 4, &at("one")), member(2, ACAI, 4, &at("other"))];
    let (events, status, log) = Trainer::start(group).end();
    assert!(status.success(), "{log}");
    let ends: Vec<&Event> = events
        .iter()
        .filter(|event| match event {
            Event::Evaluated { values, .. } => values.contains_key("final/clustering_accuracy"),
            event => matches!(event, Event::Finished { .. }),
        })
        .collect();
    use Event::{Evaluated, Finished};
    assert!(
        matches!(
            ends[..],
            [
                Evaluated { run: 1, .. },
                Finished { run: 1, .. },
                Evaluated { run: 2, .. },
                Finished { run: 2, .. }
            ]
        ),
        "{ends:?}"
    );
}

#[test]
fn while_a_run_ends_the_others_of_its_group_train_on_and_both_come_to_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let of = |run, name: &str| {
        let mut member = member(run, ACAI, 8, &folder.path().join(name));
        // Its clustering has eight parts for the codes alone, and then iterations: more than the other has steps.
        member.config.kmeans_inits = 64;
        member
    };
    let (together, status, log) = Trainer::start(vec![of(1, "one"), of(2, "two")]).end();
    assert!(status.success(), "{log}");
    let resumed = Member { resume: Some(checkpoint(&folder.path().join("one"), 8)), ..of(1, "again") };
    let (events, status, log) = Trainer::start(vec![resumed, of(2, "beside")]).end();
    assert!(status.success(), "{log}");
    let place = |wanted: &dyn Fn(&Event) -> bool| events.iter().position(wanted).expect("it is reported");
    let trained = place(&|event| matches!(event, Event::Checkpoint { run: 2, step: 8, .. }));
    let ended = place(&|event| matches!(event, Event::Finished { run: 1, .. }));
    assert!(trained < ended, "{events:?}");
    let figures = |events: &[Event], wanted: u64| {
        events.iter().find_map(|event| match event {
            Event::Evaluated { run, values, .. }
                if *run == wanted && values.contains_key("final/evaluations") =>
            {
                Some(values.clone())
            }
            _ => None,
        })
    };
    for run in [1, 2] {
        assert!(figures(&events, run).is_some());
        assert_eq!(figures(&events, run), figures(&together, run));
    }
}

#[test]
fn a_clustering_that_takes_minutes_does_not_keep_a_shutdown() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut run = member(1, ACAI, 8, folder.path());
    run.config.kmeans_inits = 100_000;
    let mut trainer = Trainer::start(vec![run]);
    trainer.until(|event| matches!(event, Event::Checkpoint { step: 8, .. }));
    trainer.until_working();
    trainer.order(&Command::Shutdown);
    let (events, status, log) = trainer.end();
    assert!(status.success(), "{log}");
    assert_eq!(events, [Event::Stopped { run: 1, step: 8 }]);
}

#[test]
fn a_stopped_member_leaves_a_checkpoint_while_the_others_finish() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let endless = member(1, ACAI, ENDLESS, &folder.path().join("endless"));
    let short = member(2, Model::Baseline, 20, &folder.path().join("short"));
    let mut trainer = Trainer::start(vec![endless, short]);
    trainer.order(&Command::Stop { run: 1 });
    let (events, status, log) = trainer.end();
    assert!(status.success(), "{log}");
    let stopped = events.iter().position(|event| matches!(event, Event::Stopped { run: 1, .. }));
    let stopped = stopped.expect("it was stopped");
    let Event::Stopped { step, .. } = events[stopped] else { unreachable!("found above") };
    let path = checkpoint(&folder.path().join("endless"), step);
    assert_eq!(events[stopped - 1], Event::Checkpoint { run: 1, step, path: path.clone() });
    assert!(path.exists());
    assert_eq!(events.last(), Some(&Event::Finished { run: 2, step: 20 }));
}

#[test]
fn shutdown_checkpoints_and_stops_every_member() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let group = [1, 2].map(|run| member(run, ACAI, ENDLESS, &folder.path().join(run.to_string())));
    let mut trainer = Trainer::start(group.into());
    trainer.until(|event| matches!(event, Event::Checkpoint { run: 2, step: 8, .. }));
    trainer.order(&Command::Checkpoint);
    trainer.order(&Command::Shutdown);
    let (events, status, log) = trainer.end();
    assert!(status.success(), "{log}");
    let mut stopped = Vec::new();
    for pair in events.windows(2) {
        if let Event::Stopped { run, step } = pair[1] {
            let path = checkpoint(&folder.path().join(run.to_string()), step);
            assert_eq!(pair[0], Event::Checkpoint { run, step, path });
            stopped.push(run);
        }
    }
    stopped.sort_unstable();
    assert_eq!(stopped, [1, 2]);
}

#[test]
fn signals_that_reach_every_process_of_a_worker_leave_its_trainer_time_for_a_checkpoint() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut trainer = Trainer::start(vec![member(1, ACAI, ENDLESS, folder.path())]);
    trainer.until(|event| matches!(event, Event::Checkpoint { step: 8, .. }));
    for (signal, next) in [(Signal::INT, 16), (Signal::TERM, 24), (Signal::HUP, 32)] {
        trainer.signal(signal);
        trainer.until(|event| matches!(event, Event::Checkpoint { step, .. } if *step == next));
    }
    trainer.order(&Command::Shutdown);
    let (events, status, log) = trainer.end();
    assert!(status.success(), "{log}");
    let Some(&Event::Stopped { run: 1, step }) = events.last() else { panic!("{events:?}") };
    assert!(checkpoint(folder.path(), step).is_file());
}
