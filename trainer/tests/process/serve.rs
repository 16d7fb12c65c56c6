//! What a trainer process tells its worker of the runs that it trains.

use std::collections::BTreeMap;
use std::fs;

use acai_sweep::trainer_protocol::{Event, FailureKind, Member};
use acai_sweep::training::{Dataset, Model};
use acai_trainer::picture::Raster;
use safetensors::SafeTensors;
use tch::{Device, Kind, Tensor};

use crate::trainer::{ACAI, ENDLESS, Trainer, checkpoint, member, program};

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
