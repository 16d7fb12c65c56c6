//! Checkpoints of other versions: what released ones wrote is resumed and scored, what later ones will write is kept.

use std::fs;
use std::path::{Path, PathBuf};

use acai_sweep::trainer_protocol::{Event, FailureKind, Member};
use acai_trainer::checkpoint::{Snapshot, load, read_header};
use acai_trainer::medium::Medium;
use acai_trainer::model;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tch::{Device, Kind};

use crate::trainer::{Trainer, checkpoint, program};

/// The folder of each released version.
fn released() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/released");
    let entries = fs::read_dir(all).expect("a folder").map(|entry| entry.expect("an entry").path());
    let folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    assert!(!folders.is_empty());
    folders
}

fn checkpoint_of(version: &Path) -> PathBuf {
    checkpoint(version, 496)
}

/// The run of the released checkpoints, resumed from `resume` in a folder of its own.
fn resumed(run: u64, resume: &Path, folder: &Path) -> Member {
    fs::create_dir(folder).expect("the folder can be made");
    let identity = read_header(&checkpoint_of(&released()[0])).expect("it is readable").identity;
    let (seed, config) = (identity.seed, identity.config);
    let checkpoint_kimg = config.total_kimg;
    Member {
        run,
        seed,
        config,
        own: Default::default(),
        folder: folder.to_owned(),
        resume: Some(resume.to_owned()),
        checkpoint_kimg,
        weights: false,
    }
}

#[test]
fn a_run_of_a_released_version_goes_on_to_the_bits_that_it_comes_to_from_a_checkpoint_of_today() {
    for version in released() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let of_then = checkpoint_of(&version);
        let header = read_header(&of_then).expect("it is readable");
        let run = [(&header.identity.config, header.identity.seed)];
        let mut model =
            model::new(&run, (Medium::GREY, 10), (Kind::Float, Device::Cpu)).expect("sizes are valid");
        let progress = load(&mut *model, &header.identity, &of_then).expect("it is readable");
        let of_today = Snapshot::new(&*model, header.identity, progress)
            .write(folder.path())
            .expect("it can be written");
        let [bytes_then, bytes_today] = [&of_then, &of_today].map(|path| fs::read(path).expect("a file"));
        let [then, today] = [&bytes_then, &bytes_today].map(|bytes| {
            let mut tensors = SafeTensors::deserialize(bytes).expect("it is whole").tensors();
            tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
            tensors
        });
        assert!(then == today, "{}: other tensors", version.display());

        let ends = [("then", &of_then), ("today", &of_today)].map(|(name, resume)| {
            let out = folder.path().join(name);
            let (events, status, log) = Trainer::start(vec![resumed(1, resume, &out)]).end();
            assert!(status.success(), "{log}");
            assert_eq!(events.last(), Some(&Event::Finished { run: 1, step: 512 }));
            fs::read(checkpoint(&out, 512)).expect("the last step has a checkpoint")
        });
        assert!(ends[0] == ends[1], "{}: other final checkpoints", version.display());
    }
}

#[test]
fn a_checkpoint_of_a_released_version_has_the_scores_that_this_version_gave_it() {
    for version in released() {
        let mut eval = program();
        eval.args(["eval", "--json", "--threads", "1"]).arg(checkpoint_of(&version));
        let output = eval.output().expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let then = fs::read(version.join("scores.json")).expect("a file");
        let [then, today] =
            [&then, &output.stdout].map(|json| serde_json::from_slice::<Value>(json).expect("it is JSON"));
        assert_eq!(then["step"], today["step"]);
        let score = |of: &Value, name: &str| of["scores"][name].as_f64().expect("a score");
        // Another processor rounds otherwise; then some of the 360 test images may get another label.
        for (name, tolerance) in [("eval/reconstruction_mse", 1e-5), ("eval/latent_accuracy", 1.0)] {
            let (then, today) = (score(&then, name), score(&today, name));
            assert!(
                (then - today).abs() < tolerance,
                "{}: {name} was {then} and is {today}",
                version.display()
            );
        }
    }
}

/// The checkpoint with another header, and without the tensor of this name, signed as a later version would.
fn rewritten(bytes: &[u8], change: impl Fn(&mut Value), without: &str) -> Vec<u8> {
    const KEY: &str = "acai-checkpoint";
    let (_, metadata) = SafeTensors::read_metadata(bytes).expect("it is whole");
    let text = &metadata.metadata().as_ref().expect("it has metadata")[KEY];
    let mut header = serde_json::from_str(text).expect("a header is JSON");
    change(&mut header);
    header["sha256"] = json!("");
    let mut tensors = SafeTensors::deserialize(bytes).expect("it is whole").tensors();
    tensors.retain(|(name, _)| name != without);
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut digest = Sha256::new_with_prefix(header.to_string());
    for (name, tensor) in &tensors {
        digest.update(name);
        digest.update(tensor.data());
    }
    header["sha256"] = json!(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let metadata = [(KEY.to_owned(), header.to_string())].into();
    safetensors::serialize(tensors, Some(metadata)).expect("it can be written")
}

/// Every occurrence of `from` replaced with `to`, which is as long.
fn replaced<const N: usize>(bytes: &[u8], from: &[u8; N], to: &[u8; N]) -> Vec<u8> {
    let mut bytes = bytes.to_owned();
    let places: Vec<usize> = (0..bytes.len() - N).filter(|at| bytes[*at..].starts_with(from)).collect();
    places.into_iter().for_each(|at| bytes[at..at + N].copy_from_slice(to));
    bytes
}

#[test]
fn what_another_version_wrote_is_kept_and_the_machine_is_told_to_update() {
    let whole = fs::read(checkpoint_of(&released()[0])).expect("a file");
    let later_format = rewritten(&whole, |header| header["format"] = json!(4), "");
    // With kinds of numbers that are yet to come.
    let later_kinds = replaced(&later_format, b"\"F32\"", b"\"F77\"");
    let later_parameter = rewritten(&whole, |header| header["config"]["warmup"] = json!(100), "");
    let later_value = rewritten(&whole, |header| header["config"]["depth"] = json!(1 << 20), "");
    let fewer_tensors = rewritten(&whole, |_| {}, "decoder.0.bias");
    let before_the_release = rewritten(&whole, |header| header["format"] = json!(2), "");
    let cases = [
        (later_format, "it has format 4, and the latest that is known here is 3; update acai-trainer"),
        (later_kinds, "it has format 4, and the latest that is known here is 3; update acai-trainer"),
        (later_parameter, "unknown parameter `warmup`; update acai-trainer"),
        (later_value, "`depth` takes an integer from 1 to 128, found `1048576`; update acai-trainer"),
        (fewer_tensors, "it lacks `decoder.0.bias`; update acai-trainer"),
        (before_the_release, "has format 2, which no released version of acai-trainer had"),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let given = |run: usize| folder.path().join(format!("given {run}"));
    let group = cases.iter().enumerate().map(|(run, (bytes, _))| {
        fs::write(given(run), bytes).expect("it can be written");
        resumed(run as u64, &given(run), &folder.path().join(run.to_string()))
    });
    let (events, status, log) = Trainer::start(group.collect()).end();
    assert!(status.success(), "{log}");
    assert_eq!(events.len(), cases.len(), "{events:?}");
    for (run, (bytes, reason)) in cases.iter().enumerate() {
        let of_run = |event: &&Event| matches!(event, Event::Failed { run: r, .. } if *r == run as u64);
        let Some(Event::Failed { step: 0, kind, message, .. }) = events.iter().find(of_run) else {
            panic!("{events:?}")
        };
        assert_eq!(*kind, FailureKind::Machine, "{message}");
        assert!(message.contains(reason), "{message}");
        assert!(fs::read(given(run)).expect("it is still there") == *bytes, "{message}");
    }
}
