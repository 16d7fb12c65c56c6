//! Trainers that stay for the next group.

use std::fs;
use std::path::PathBuf;

use acai_sweep::trainer_protocol::{Command, Event, Member};
use acai_sweep::training::{Dataset, Model};
use acai_trainer::picture::Raster;
use tch::{Device, Kind, Tensor};

use crate::trainer::{ACAI, ENDLESS, Trainer, checkpoint, member, metrics};

#[test]
fn what_a_run_trains_does_not_depend_on_what_its_process_trained_before() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let groups = |of: &str| {
        let small = |run, model| member(run, model, 14, &folder.path().join(of).join(run.to_string()));
        let mut lines = small(4, Model::Baseline);
        lines.config.dataset = Dataset::Lines32;
        let vqvae = Model::Vqvae { beta: 10.0, codes: 16, num_latents: 3 };
        let again = Member { seed: 3, ..small(5, ACAI) };
        [vec![small(1, ACAI), small(2, ACAI)], vec![small(3, vqvae)], vec![lines], vec![again]]
    };
    let mut warm = Trainer::spawn();
    warm.until(|event| matches!(event, Event::Ready { .. }));
    for (warmly, coldly) in groups("warm").into_iter().zip(groups("cold")) {
        let runs: Vec<(u64, PathBuf, PathBuf)> = warmly
            .iter()
            .zip(&coldly)
            .map(|(warm, cold)| (warm.run, warm.folder.clone(), cold.folder.clone()))
            .collect();
        let in_one_process = warm.train(warmly);
        let (alone, status, log) = Trainer::start(coldly).end();
        assert!(status.success(), "{log}");
        for (run, warm, cold) in runs {
            assert!(!metrics(&alone, run, 0).is_empty());
            assert_eq!(metrics(&in_one_process, run, 0), metrics(&alone, run, 0));
            let last = |folder| fs::read(checkpoint(folder, 14)).expect("the last step has a checkpoint");
            assert!(last(&warm) == last(&cold), "run {run}: other final checkpoints");
        }
    }
    // It is about a run that has ended, and crossed with the end.
    warm.order(&Command::Stop { run: 5 });
    warm.order(&Command::Shutdown);
    let (events, status, log) = warm.end();
    assert!(status.success() && events.is_empty(), "{events:?} {log}");
}

#[test]
fn pictures_that_have_changed_since_the_last_group_are_read_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pictures = folder.path().join("pictures");
    fs::create_dir(&pictures).expect("it can be made");
    let draw = |from: f64| {
        let ramp = Tensor::linspace(from, 1.0, 32 * 32, (Kind::Float, Device::Cpu));
        let picture = Raster::grid(&ramp.view([1, 1, 1, 32, 32])).png();
        for number in 0..10 {
            fs::write(pictures.join(format!("{number}.png")), &picture).expect("it can be written");
        }
    };
    let mut warm = Trainer::spawn();
    warm.until(|event| matches!(event, Event::Ready { .. }));
    let mut losses = |name: &str| {
        let mut run = member(1, Model::Baseline, 4, &folder.path().join(name));
        let dataset = format!("images:{}", pictures.display());
        run.config.dataset = Dataset::from_name(&dataset).expect("an absolute path");
        let events = warm.train(vec![run]);
        metrics(&events, 1, 0).into_iter().cloned().collect::<Vec<Event>>()
    };
    draw(-1.0);
    let before = losses("before");
    assert_eq!(losses("again"), before);
    draw(0.0);
    assert_ne!(losses("after"), before);
}

#[test]
fn shutdown_ends_a_trainer_that_would_stay() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut trainer = Trainer::spawn();
    trainer.until(|event| matches!(event, Event::Ready { .. }));
    let group = vec![member(1, ACAI, ENDLESS, folder.path())];
    trainer.order(&Command::Start { group, stay: true });
    trainer.until(|event| matches!(event, Event::Checkpoint { step: 8, .. }));
    trainer.order(&Command::Shutdown);
    let (events, status, log) = trainer.end();
    assert!(status.success() && matches!(events.last(), Some(Event::Stopped { run: 1, .. })), "{log}");
}
