//! What a person does with a checkpoint.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use safetensors::SafeTensors;

use crate::trainer::{checkpoint, program};

/// Trains for 16 steps; returns the scores that it printed, and its last checkpoint.
fn train(folder: &Path) -> (Output, PathBuf) {
    let mut train = program();
    train.args(["train", "--model", "vqvae", "--codes", "16", "--dataset", "digits32", "--depth", "2"]);
    train.args(["--latent", "2", "--latent-width", "8", "--batch", "8", "--total-kimg", "0.125"]);
    train.args(["--threads", "1", "--json", "--out"]).arg(folder);
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
    let (scored, log) = run(&["eval", "--json", "--threads", "1"], &checkpoint);
    assert!(scored.status.success(), "{log}");
    assert_eq!(String::from_utf8(scored.stdout), String::from_utf8(trained.stdout));

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

    let (again, log) = run(&["eval"], &exported);
    assert_eq!(again.status.code(), Some(1));
    assert!(log.contains("is no checkpoint of this program"), "{log}");
}
