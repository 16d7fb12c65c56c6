//! The trainer process as its worker sees it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::trainer::{ACAI, Trainer, checkpoint, member, program};
use acai_sweep::trainer_protocol::{Command, Event, FailureKind, Member};
use acai_sweep::training::{Dataset, Model};
use acai_trainer::picture::Raster;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::Signal;
use safetensors::SafeTensors;
use tch::{Device, Kind, Tensor};

/// More steps than any test waits for.
const ENDLESS: u32 = 10_000_000;

fn metrics(events: &[Event], run: u64, after: u64) -> Vec<&Event> {
    let later = |event: &&Event| match event {
        Event::Metric { run: r, step, .. } | Event::Evaluated { run: r, step, .. } => {
            *r == run && *step > after
        }
        _ => false,
    };
    events.iter().filter(later).collect()
}

/// Every model, small.
const MODELS: [Model; 9] = [
    Model::Baseline,
    Model::Dropout { dropout: 0.5 },
    Model::Denoising { noise: 1.0 },
    Model::Vae { beta: 1.0 },
    Model::Aae { adversary_lr: 1e-4 },
    Model::Vqvae { beta: 10.0, codes: 16, num_latents: 3 },
    ACAI,
    Model::AcaiVae { beta: 1.0, lambda: 0.5, gamma: 0.2, advdepth: 2 },
    Model::Pixels,
];

/// The newest checkpoint that trainings of run 1 have left in these folders.
fn newest(folders: &[PathBuf]) -> Option<PathBuf> {
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let paths = files.map(|file| file.expect("a file").path());
    let checkpoints = paths.filter(|path| path.extension().is_some_and(|it| it == "safetensors"));
    checkpoints.max_by_key(|path| path.file_name().map(ToOwned::to_owned))
}

#[test]
fn a_run_killed_at_any_step_and_resumed_in_another_folder_ends_bit_equal_to_one_without_interruption() {
    const STEPS: u32 = 60;
    let mut kills = ChaCha8Rng::seed_from_u64(0);
    for model in MODELS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let uninterrupted = Trainer::start(vec![member(1, model.clone(), STEPS, &at("uninterrupted"))]);
        let began = Instant::now();
        let (expected, status, log) = uninterrupted.end();
        let length = began.elapsed();
        assert!(status.success(), "{model:?}: {log}");

        let mut folders: Vec<PathBuf> = Vec::new();
        let mut resumed = |kill_after: Option<Duration>| {
            let resume = newest(&folders);
            folders.push(at(&format!("attempt {}", folders.len())));
            let run = member(1, model.clone(), STEPS, folders.last().expect("pushed above"));
            let trainer = Trainer::start(vec![Member { resume, ..run }]);
            // Whatever it does at that moment: a step, an evaluation, a checkpoint, half of its start.
            let (events, status, log) = match kill_after {
                Some(after) => {
                    thread::sleep(after);
                    trainer.kill()
                }
                None => trainer.end(),
            };
            assert!(kill_after.is_some() || status.success(), "{model:?}: {log}");
            for event in metrics(&events, 1, 0) {
                assert!(expected.contains(event), "{model:?}: {event:?} was not to be");
            }
            events.last().cloned()
        };
        for _ in 0..3 {
            resumed(Some(length.mul_f64(kills.random_range(0.1..0.5))));
        }
        assert_eq!(resumed(None), expected.last().cloned(), "{model:?}");
        let last = |path| fs::read(path).expect("the last step has a checkpoint");
        let of_all = last(newest(&folders).expect("it has ended"));
        assert!(
            of_all == last(checkpoint(&at("uninterrupted"), STEPS.into())),
            "{model:?}: other final checkpoints"
        );
    }
}

#[test]
fn a_member_of_a_group_goes_on_in_another_group_to_the_same_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let group = vec![member(1, ACAI, 30, &at("first")), member(2, ACAI, 30, &at("other"))];
    let (_, status, log) = Trainer::start(group).end();
    assert!(status.success(), "{log}");

    let resume = Some(checkpoint(&at("first"), 24));
    let again = Member { resume, ..member(1, ACAI, 30, &at("second")) };
    let group = vec![member(3, ACAI, 30, &at("third")), member(4, ACAI, 30, &at("fourth")), again];
    let (_, status, log) = Trainer::start(group).end();
    assert!(status.success(), "{log}");
    let last = |name| fs::read(checkpoint(&at(name), 30)).expect("the last step has a checkpoint");
    assert!(last("first") == last("second"), "the final checkpoints differ");
}

#[test]
fn a_longer_run_that_goes_on_from_a_shorter_ones_end_reports_what_it_would_have_reported_by_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let (shorter, longer) = (14, 30);
    let (_, status, log) = Trainer::start(vec![member(1, ACAI, shorter, &at("shorter"))]).end();
    assert!(status.success(), "{log}");
    let resume = Some(checkpoint(&at("shorter"), shorter.into()));
    let lengthened = Member { resume, ..member(1, ACAI, longer, &at("lengthened")) };
    let (lengthened, status, log) = Trainer::start(vec![lengthened]).end();
    assert!(status.success(), "{log}");
    let (straight, status, log) = Trainer::start(vec![member(1, ACAI, longer, &at("straight"))]).end();
    assert!(status.success(), "{log}");
    assert!(!metrics(&straight, 1, shorter.into()).is_empty());
    assert_eq!(metrics(&lengthened, 1, 0), metrics(&straight, 1, shorter.into()));
    let last = |name| fs::read(checkpoint(&at(name), longer.into())).expect("the last step has a checkpoint");
    assert!(last("lengthened") == last("straight"), "other final checkpoints");
}

#[test]
fn wanted_weights_are_an_artifact_equal_to_what_export_writes_of_the_last_checkpoint() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (wanted, other) = (folder.path().join("wanted"), folder.path().join("other"));
    let group = vec![Member { weights: true, ..member(1, ACAI, 9, &wanted) }, member(2, ACAI, 9, &other)];
    let (events, status, log) = Trainer::start(group).end();
    assert!(status.success(), "{log}");
    let is_weights = |event: &&Event| matches!(event, Event::Artifact { path, .. } if path.extension().is_some_and(|it| it == "safetensors"));
    let weights: Vec<&Event> = events.iter().filter(is_weights).collect();
    let path = wanted.join("weights-000000009.safetensors");
    assert_eq!(weights, [&Event::Artifact { run: 1, step: 9, path: path.clone() }]);

    let exported = folder.path().join("exported.safetensors");
    let mut export = program();
    export.arg("export").arg(checkpoint(&wanted, 9)).arg("-o").arg(&exported);
    assert!(export.status().expect("the program starts").success());
    let (weights, exported) = (fs::read(path).expect("a file"), fs::read(exported).expect("a file"));
    let tensors =
        |bytes| BTreeMap::from_iter(SafeTensors::deserialize(bytes).expect("it is whole").tensors());
    assert!(tensors(&weights) == tensors(&exported), "other tensors");
    let metadata = |bytes| SafeTensors::read_metadata(bytes).expect("it is whole").1.metadata().clone();
    assert_eq!(metadata(&weights), metadata(&exported));
}

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

#[test]
fn a_run_reports_losses_scores_checkpoints_and_its_end_in_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (events, status, log) = Trainer::start(vec![member(1, ACAI, 14, folder.path())]).end();
    assert!(status.success(), "{log}");
    let told: Vec<(&str, u64)> = events
        .iter()
        .map(|event| match event {
            Event::Metric { step, .. } => ("losses", *step),
            Event::Evaluated { step, .. } => ("scores", *step),
            Event::Artifact { step, path, .. } => {
                assert!(fs::read(path).expect("it is written").starts_with(b"\x89PNG"));
                ("picture", *step)
            }
            Event::Checkpoint { step, .. } => ("checkpoint", *step),
            Event::Finished { step, .. } => ("finished", *step),
            event => panic!("{event:?}"),
        })
        .collect();
    let (pictures, last) = ([("picture", 12); 3], [("losses", 14), ("scores", 14)]);
    let end = [("checkpoint", 14), ("scores", 14), ("finished", 14)];
    let first = [("checkpoint", 8), ("losses", 12), ("scores", 12)];
    assert_eq!(told, [&first[..], &pictures, &last, &pictures.map(|(what, _)| (what, 14)), &end].concat());
    let Event::Metric { values, .. } = &events[1] else { unreachable!("told above") };
    let losses = ["loss_ae", "loss_ae_disc", "loss_classifier", "loss_disc", "loss_disc_real"];
    assert!(values.keys().eq(losses.map(|loss| format!("train/{loss}")).iter()), "{values:?}");
    let Event::Evaluated { values, .. } = &events[2] else { unreachable!("told above") };
    assert!(values.keys().eq(["eval/latent_accuracy", "eval/reconstruction_mse"]), "{values:?}");
    let Event::Evaluated { values: last, .. } = &events[7] else { unreachable!("told above") };
    let Event::Evaluated { values: figures, .. } = &events[12] else { unreachable!("told above") };
    let mse = |values: &BTreeMap<String, f64>| values["eval/reconstruction_mse"];
    assert_eq!(
        figures["final/reconstruction_mse"],
        f64::midpoint(mse(values), mse(last)),
        "the median of both"
    );
    assert_eq!(figures["final/evaluations"], 2.0);
    assert_eq!(figures["final/clustering_accuracy"], figures["eval/clustering_accuracy"]);
}

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
fn a_folder_of_few_pictures_is_trained_scored_and_drawn() {
    let picture =
        Raster::grid(&Tensor::linspace(-1, 1, 32 * 32, (Kind::Float, Device::Cpu)).view([1, 1, 1, 32, 32]))
            .png();
    // The smallest that is taken, which has one picture to test on, and one with less than a row of them.
    for count in [10, 50] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pictures = folder.path().join("pictures");
        fs::create_dir(&pictures).expect("it can be made");
        for number in 0..count {
            fs::write(pictures.join(format!("{number:02}.png")), &picture).expect("it can be written");
        }
        let mut run = member(1, Model::Vae { beta: 1.0 }, 4, &folder.path().join("out"));
        let dataset = format!("images:{}", pictures.display());
        run.config.dataset = Dataset::from_name(&dataset).expect("an absolute path");
        let (events, status, log) = Trainer::start(vec![run]).end();
        assert!(status.success(), "{log}");
        assert!(matches!(events.last(), Some(Event::Finished { .. })), "{events:?}");
        assert_eq!(events.iter().filter(|event| matches!(event, Event::Artifact { .. })).count(), 4);
    }
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

#[test]
fn a_diverged_run_fails_as_such_and_leaves_no_checkpoint_of_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut wild = member(1, ACAI, 30, &folder.path().join("wild"));
    wild.config.lr = 1.0;
    let tame = member(2, ACAI, 10, &folder.path().join("tame"));
    let (events, status, log) = Trainer::start(vec![wild, tame]).end();
    assert!(status.success(), "{log}");
    let failed = events.iter().find_map(|event| match event {
        Event::Failed { run: 1, step, kind, message } => Some((*step, *kind, message)),
        _ => None,
    });
    let (step, kind, message) = failed.expect("it failed");
    assert_eq!(kind, FailureKind::Diverged, "{message}");
    assert!(
        message.contains(&format!("diverged by step {step}: ")) && message.contains("loss_ae is"),
        "{message}"
    );
    assert_eq!(fs::read_dir(folder.path().join("wild")).expect("a folder").count(), 0);
    assert_eq!(events.last(), Some(&Event::Finished { run: 2, step: 10 }));
}

#[test]
fn members_that_cannot_start_fail_with_the_reason_and_do_not_keep_others() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut without_data = member(1, ACAI, 10, folder.path());
    without_data.config.dataset = Dataset::Mnist32;
    let mut too_wide = member(2, ACAI, 10, folder.path());
    too_wide.config.latent_width = 5;
    let mut no_batch = member(3, ACAI, 10, folder.path());
    no_batch.config.batch = 0;
    let mut no_checkpoint = member(4, ACAI, 10, folder.path());
    no_checkpoint.resume = Some("missing.safetensors".into());
    let mut of_another = member(6, ACAI, 10, folder.path());
    of_another.own.insert("weight".to_owned(), 0.5.into());
    let good = member(5, ACAI, 10, folder.path());
    let group = vec![without_data, too_wide, no_batch, no_checkpoint, of_another, good];
    let (events, status, log) = Trainer::start(group).end();
    assert!(status.success(), "{log}");
    for (run, whose, reason) in [
        (1, FailureKind::Machine, "mnist32"),
        (2, FailureKind::Error, "`latent_width` takes a power of two from 1 to 16, found `5`"),
        (3, FailureKind::Error, "`batch` takes an integer from 1 to 4096, found `0`"),
        (4, FailureKind::Machine, "cannot read checkpoint `missing.safetensors`"),
        (
            6,
            FailureKind::Error,
            "the sweep file declares `weight`: start the worker with the trainer that knows",
        ),
    ] {
        let failed = events.iter().find_map(|event| match event {
            Event::Failed { run: r, step: 0, kind, message } if *r == run => Some((*kind, message)),
            _ => None,
        });
        let (kind, message) = failed.expect("it failed");
        assert_eq!(kind, whose, "{message}");
        assert!(message.contains(reason), "{message}");
    }
    assert_eq!(events.last(), Some(&Event::Finished { run: 5, step: 10 }));
}

#[test]
fn a_trainer_whose_worker_is_gone_ends_without_a_checkpoint() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut lonely = member(1, ACAI, ENDLESS, folder.path());
    lonely.checkpoint_kimg = lonely.config.total_kimg;
    let mut trainer = Trainer::start(vec![lonely]);
    trainer.until(|event| matches!(event, Event::Metric { .. }));
    trainer.hang_up();
    let (_, status, log) = trainer.end();
    assert_eq!(status.code(), Some(1));
    assert!(log.contains("the worker is gone"), "{log}");
    let mut left = fs::read_dir(folder.path()).expect("a folder").map(|file| file.expect("a file").path());
    assert!(left.all(|file| file.extension().is_some_and(|extension| extension == "png")));
}

#[test]
fn a_line_that_is_no_command_ends_the_trainer_with_the_reason() {
    let mut trainer = Trainer::spawn();
    trainer.write(r#"{"command":"dance"}"#);
    let (_, status, log) = trainer.end();
    assert_eq!(status.code(), Some(1));
    assert!(log.contains(r#"`{"command":"dance"}` on standard input is no command"#), "{log}");
}
