//! What a person does with a checkpoint.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Output;

use safetensors::SafeTensors;

use crate::trainer::{checkpoint, program};

/// Trains for 16 steps; returns the scores that it printed, and its last checkpoint.
fn train(folder: &Path) -> (Output, PathBuf) {
    train_seed(folder, 0)
}

fn train_seed(folder: &Path, seed: u64) -> (Output, PathBuf) {
    let mut train = program();
    train.args(["train", "--model", "vqvae", "--codes", "16", "--dataset", "digits32", "--depth", "2"]);
    train.args(["--latent", "2", "--latent-width", "8", "--batch", "8", "--total-kimg", "0.125"]);
    train.args(["--kmeans-inits", "2", "--threads", "1", "--json", "--seed", &seed.to_string(), "--out"]);
    train.arg(folder);
    (train.output().expect("the program starts"), checkpoint(folder, 16))
}

fn run(arguments: &[&str], path: &Path) -> (Output, String) {
    let output = program().args(arguments).arg(path).output().expect("the program starts");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, log)
}

#[test]
fn eval_prints_the_scores_that_training_printed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (trained, checkpoint) = train(folder.path());
    let (scored, log) = run(&["eval", "--clustering", "--json", "--threads", "1"], &checkpoint);
    assert!(scored.status.success(), "{log}");
    let [trained, scored] = [trained.stdout, scored.stdout]
        .map(|json| serde_json::from_slice::<serde_json::Value>(&json).expect("it printed JSON"));
    for (name, score) in scored["scores"].as_object().expect("scores by name") {
        assert_eq!(&trained["scores"][name], score, "{name}");
    }
    assert!(scored["scores"]["eval/clustering_accuracy"].is_f64(), "{scored}");

    let (missing, log) = run(&["eval"], Path::new("missing.safetensors"));
    assert_eq!(missing.status.code(), Some(1));
    assert!(log.contains("cannot read checkpoint `missing.safetensors`"), "{log}");
}

#[test]
fn export_writes_what_was_learnt_under_documented_names_and_no_moments() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_, checkpoint) = train(folder.path());
    let exported = folder.path().join("exported.safetensors");
    let (output, log) = run(&["export", "-o", exported.to_str().expect("a text")], &checkpoint);
    assert!(output.status.success() && log.starts_with("wrote "), "{log}");

    let (checkpoint_bytes, bytes) = (fs::read(&checkpoint), fs::read(&exported));
    let (checkpoint_bytes, bytes) = (checkpoint_bytes.expect("a file"), bytes.expect("a file"));
    let file = SafeTensors::deserialize(&bytes).expect("it is whole");
    let original = SafeTensors::deserialize(&checkpoint_bytes).expect("it is whole");
    let documented = include_str!("../../../docs/export.md");
    for (name, tensor) in file.tensors() {
        assert_eq!(tensor, original.tensor(&name).expect("the checkpoint has it"), "{name}");
        let network = name.split('.').next().expect("a name");
        assert!(documented.contains(&format!("`{network}")), "docs/export.md leaves out {name}");
    }
    assert_eq!(3 * (file.len() - 3), original.len() - 3, "weights, two moments of each, three averages");
    assert_eq!(file.tensor("encoder.1.weight").expect("a convolution").shape(), [2, 2, 3, 3]);

    let itself = format!("{}/./{}", folder.path().display(), "checkpoint-000000016.safetensors");
    let (refused, log) = run(&["export", "-o", &itself], &checkpoint);
    assert_eq!(refused.status.code(), Some(1));
    assert!(log.contains("would replace the checkpoint itself"), "{log}");
    assert!(fs::read(&checkpoint).expect("a file") == checkpoint_bytes);

    let (again, log) = run(&["eval"], &exported);
    assert_eq!(again.status.code(), Some(1));
    assert!(log.contains("is no checkpoint of this program"), "{log}");
}

#[test]
fn interpolate_draws_a_strip_from_one_test_image_to_another() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_, checkpoint) = train(folder.path());
    let strip = folder.path().join("strip.png");
    let strip_name = strip.to_str().expect("a text");
    let (output, log) =
        run(&["interpolate", "--a", "0", "--b", "7", "--steps", "5", "-o", strip_name], &checkpoint);
    assert!(output.status.success(), "{log}");
    assert_eq!(size(&strip), (7 * 32 + 6 * 2, 32), "two images around five, and gutters");

    let (refused, log) = run(&["interpolate", "--a", "0", "--b", "360", "-o", strip_name], &checkpoint);
    assert_eq!(refused.status.code(), Some(1));
    assert!(log.contains("--b is `360`; test images have numbers from 0 to 359"), "{log}");
}

#[test]
fn interpolate_puts_the_strips_of_several_checkpoints_below_each_other_with_what_tells_them_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folders = [0_u64, 1].map(|seed| folder.path().join(seed.to_string()));
    let [first, second] = [0, 1].map(|seed| train_seed(&folders[seed], seed as u64).1);
    let picture = folder.path().join("both.png");
    let picture_name = picture.to_str().expect("a text");
    let both = [first.to_str().expect("a text"), "--steps", "5", "-o", picture_name];
    let pairs = ["--a", "0", "--b", "7", "--a", "3", "--b", "4"];
    let (output, log) = run(&[&["interpolate"], &both[..], &pairs].concat(), &second);
    assert!(output.status.success(), "{log}");
    let margin = "seed=0".len() as u32 * 8 + 4;
    assert_eq!(size(&picture), (margin + 7 * 32 + 6 * 2, 4 * 32 + 3 * 2), "two rows for each of two pairs");

    let (refused, log) = run(&[&["interpolate"], &both[..], &pairs[..6]].concat(), &second);
    assert_eq!(refused.status.code(), Some(1));
    assert!(log.contains("--a is given 2 times and --b 1 times"), "{log}");
}

fn size(picture: &Path) -> (u32, u32) {
    let file = BufReader::new(File::open(picture).expect("the picture was written"));
    png::Decoder::new(file).read_info().expect("a PNG file").info().size()
}
