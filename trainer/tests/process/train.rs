//! `acai-trainer train` as a person runs it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::trainer::{checkpoint, program};
use rustix::process::{Pid, Signal, kill_process};

/// A small run of 160 steps.
fn train(out: &Path, more: &[&str]) -> Command {
    let mut program = program();
    program.args(["train", "--model", "acai", "--depth", "2", "--latent", "2"]);
    if !more.contains(&"--dataset") {
        program.args(["--dataset", "digits32"]);
    }
    program.args(["--latent-width", "8", "--batch", "8", "--threads", "1", "--eval-kimg", "0.25"]);
    program.args(["--kmeans-inits", "2", "--out"]).arg(out).args(more);
    if !more.contains(&"--total-kimg") {
        program.args(["--total-kimg", "1.25"]);
    }
    program
}

fn run(mut program: Command) -> (Output, String) {
    let output = program.output().expect("the program starts");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, log)
}

#[test]
fn a_training_interrupted_and_resumed_ends_bit_equal_and_prints_its_scores() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (straight, broken) = (folder.path().join("straight"), folder.path().join("broken"));
    let (output, log) = run(train(&straight, &["--json"]));
    assert!(output.status.success(), "{log}");

    let mut process = train(&broken, &[]).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut log = BufReader::new(process.stderr.take().expect("it is piped")).lines();
    let evaluated = log.next().expect("it says something").expect("its log is text");
    assert!(evaluated.starts_with("0.2 kimg: "), "{evaluated}");
    kill_process(Pid::from_child(&process), Signal::INT).expect("it is running");
    assert_eq!(process.wait().expect("it ends").code(), Some(130));

    let (refused, log) = run(train(&broken, &["--json"]));
    assert_eq!(refused.status.code(), Some(1));
    assert!(log.contains("add `--resume`"), "{log}");

    let (resumed, log) = run(train(&broken, &["--json", "--resume"]));
    assert!(resumed.status.success() && log.starts_with("resuming at step "), "{log}");
    assert_eq!(resumed.stdout, output.stdout);
    let last = |folder| fs::read(checkpoint(folder, 160)).expect("the last step has a checkpoint");
    assert!(last(&straight) == last(&broken), "the final checkpoints differ");

    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it printed JSON");
    assert_eq!(printed["step"], 160);
    assert!(printed["scores"]["eval/reconstruction_mse"].is_f64(), "{printed}");

    let (other, log) = run(train(&broken, &["--resume", "--lambda", "0.75"]));
    assert_eq!(other.status.code(), Some(1));
    assert!(log.contains("another run: `lambda` is `0.5` there and `0.75` here"), "{log}");
}

#[test]
fn a_training_on_strings_resumed_ends_bit_equal_with_their_scores_and_leaves_texts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (straight, broken) = (folder.path().join("straight"), folder.path().join("broken"));
    let on_strings =
        |out: &Path, more: &[&str]| train(out, &[&["--dataset", "typeover32", "--json"], more].concat());
    let (output, log) = run(on_strings(&straight, &[]));
    assert!(output.status.success(), "{log}");
    let (shorter, log) = run(on_strings(&broken, &["--total-kimg", "0.5"]));
    assert!(shorter.status.success(), "{log}");
    let (resumed, log) = run(on_strings(&broken, &["--total-kimg", "1.25", "--resume"]));
    assert!(resumed.status.success(), "{log}");
    assert_eq!(resumed.stdout, output.stdout);

    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it printed JSON");
    for score in ["mean_distance", "valid", "edit", "accuracy", "exact", "reconstruction_nats"] {
        assert!(printed["scores"][format!("eval/{score}")].is_f64(), "{score}: {printed}");
    }
    for score in ["latent_accuracy", "clustering_accuracy", "reconstruction_mse"] {
        assert!(printed["scores"][format!("eval/{score}")].is_null(), "{score}: {printed}");
    }
}

#[test]
fn a_file_of_strings_is_trained_on_and_a_wrong_one_refused_with_line_and_character() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().to_str().expect("a path of text");
    let on = |dataset: &str, out: &str| {
        let more = ["--dataset", dataset, "--data", data, "--total-kimg", "0.25", "--json"];
        run(train(&folder.path().join(out), &more))
    };
    fs::write(folder.path().join("seasons.txt"), "spring\nsummer\nautumn\nwinter\n").expect("a file");
    let (output, log) = on("curve:seasons.txt", "curve");
    assert!(output.status.success(), "{log}");

    let names: Vec<String> = ('a'..='z').map(|first| format!("{first}nna")).collect();
    fs::write(folder.path().join("names.txt"), names.join("\n")).expect("a file");
    let (output, log) = on("text:names.txt", "text");
    assert!(output.status.success(), "{log}");
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it printed JSON");
    assert!(printed["scores"]["eval/edit"].is_f64(), "{printed}");
    assert!(
        printed["scores"]["eval/mean_distance"].is_null(),
        "without an order nothing is known of what lies between"
    );

    fs::write(folder.path().join("wrong.txt"), "spring\nsummer 2018\n").expect("a file");
    let (refused, log) = on("curve:wrong.txt", "wrong");
    assert!(
        !refused.status.success() && log.contains("wrong.txt`:2:8: `2` is no character of strings"),
        "{log}"
    );
}

#[test]
fn a_training_that_has_ended_goes_on_to_a_larger_total_bit_equal_to_one_that_was_as_long_from_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (straight, lengthened) = (folder.path().join("straight"), folder.path().join("lengthened"));
    let (expected, log) = run(train(&straight, &["--json"]));
    assert!(expected.status.success(), "{log}");
    // 90 steps, of which the last is evaluated although that is not a time for evaluations of a longer training.
    let (shorter, log) = run(train(&lengthened, &["--total-kimg", "0.7"]));
    assert!(shorter.status.success(), "{log}");
    assert!(checkpoint(&lengthened, 90).is_file());

    let (longer, log) = run(train(&lengthened, &["--json", "--resume"]));
    assert!(longer.status.success() && log.starts_with("resuming at step 90"), "{log}");

    assert_eq!(longer.stdout, expected.stdout, "other final scores");
    let last = |folder| fs::read(checkpoint(folder, 160)).expect("the last step has a checkpoint");
    assert!(last(&straight) == last(&lengthened), "the final checkpoints differ");

    let (refused, log) = run(train(&lengthened, &["--total-kimg", "0.7", "--resume"]));
    assert_eq!(refused.status.code(), Some(1));
    assert!(log.contains("another run: `total_kimg` is `1.25` there and `0.7` here"), "{log}");
}

#[test]
fn lines_are_scored_by_their_interpolations() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let flags = ["--dataset", "lines32", "--total-kimg", "0.008", "--json"];
    let mut program = program();
    program.args(["train", "--model", "baseline", "--depth", "2", "--batch", "8", "--out"]);
    program.arg(folder.path()).args(flags);
    let (output, log) = run(program);
    assert!(output.status.success(), "{log}");
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it printed JSON");
    let scores = printed["scores"].as_object().expect("scores by name");
    let distance = scores["eval/mean_distance"].as_f64().expect("a number");
    assert!(distance > 0.001 && distance < 1.0, "{scores:?}");
    assert!(scores.contains_key("eval/smoothness_nan"), "{scores:?}");
}

#[test]
fn a_mistake_on_the_command_line_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (flags, complaint) in [
        (&["--gamma", "2"][..], "`gamma` takes a number from 0 to 1, found `2`"),
        (&["--lambda", "-1"], "`lambda` takes a number from 0 to 1000, found `-1`"),
        (&["--lr", "nan"], "`lr` takes a number above 0 and at most 1, found `NaN`"),
        (&["--total-kimg", "0"], "`total_kimg` takes a number above 0 and at most 1000000, found `0`"),
        (&["--latent-width", "64"], "`latent_width` takes a power of two from 1 to 16, found `64`"),
        (&["--depth", "4000000000"], "`depth` takes an integer from 1 to 128, found `4000000000`"),
        (&["--dataset", "mnist32"], "mnist32"),
        (&["--dataset", "line32"], "lines32"),
        (&["--model", "baseline", "--lambda", "1"], "model `baseline` does not use `lambda`"),
        (&["--device", "gpu"], "device is `gpu`; give `cpu` or `cuda:N`"),
        (&["--device", "cuda:99"], "`cuda:99`"),
        (&["--threads", "0"], "1..=1024"),
    ] {
        let mut program = program();
        program.args(["train", "--out"]).arg(folder.path());
        for (flag, value) in [("--model", "acai"), ("--dataset", "digits32")] {
            if !flags.contains(&flag) {
                program.args([flag, value]);
            }
        }
        program.args(flags);
        let (output, log) = run(program);
        assert!(!output.status.success(), "{flags:?} was taken");
        assert!(log.contains(complaint), "{flags:?}: {log}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_help_says_which_datasets_there_are_and_what_other_flags_take() {
    let mut help = program();
    help.args(["train", "--help"]);
    let (output, _) = run(help);
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "--model <MODEL> --dataset <DATASET>",
        "(lines32, digits32, mnist32, fashion-mnist32, svhn32, cifar10, celeba32, typeover32, images:PATH, curve:PATH or text:PATH)",
        "every tenth",
        "PATH being relative to `--data`",
        "[env: ACAI_DATA=] [default: data]",
    ] {
        assert!(words.contains(said), "no `{said}` in {help}");
    }
}

#[test]
fn folders_of_pictures_are_looked_for_below_the_data_folder_which_is_data_unless_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().canonicalize().expect("it is there");
    for (told, data) in [(None, "data"), (Some(""), "data"), (Some("elsewhere"), "elsewhere")] {
        let mut program = program();
        program.args(["train", "--model", "acai", "--dataset", "images:faces", "--out", "out"]);
        program.current_dir(&place).envs(told.map(|told| ("ACAI_DATA", told)));
        let (output, log) = run(program);
        assert_eq!(output.status.code(), Some(1));
        let looked_at = format!("there are none in `{}`", place.join(data).join("faces").display());
        assert!(log.contains(&looked_at) && log.contains("is relative to the data folder, --data"), "{log}");
    }
}

#[test]
fn what_libtorch_refuses_is_said_once_and_in_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut limited = Command::new("sh");
    // One of its tensors alone takes 2 GiB.
    limited.args(["-c", "ulimit -v 3000000; exec \"$0\" \"$@\""]).arg(program().get_program());
    limited.args([
        "train",
        "--model",
        "baseline",
        "--dataset",
        "digits32",
        "--depth",
        "128",
        "--batch",
        "4096",
    ]);
    limited.args(["--threads", "1", "--out"]).arg(folder.path()).env_remove("RUST_BACKTRACE");
    let (output, log) = run(limited);
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(
        log.starts_with("error: this machine has too little memory: ") && log.lines().count() == 1,
        "{log}"
    );
}
