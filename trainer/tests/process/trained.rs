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
    train_model(folder, &["vqvae", "--codes", "16"], seed)
}

fn train_model(folder: &Path, model: &[&str], seed: u64) -> (Output, PathBuf) {
    let mut train = program();
    train.args(["train", "--dataset", "digits32", "--depth", "2", "--model"]).args(model);
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
    assert_eq!(size(&strip), (7 * 32 + 6 * 2, HEADING + 32), "two images around five, and gutters");

    let (refused, log) = run(&["interpolate", "--a", "0", "--b", "360", "-o", strip_name], &checkpoint);
    assert_eq!(refused.status.code(), Some(1));
    assert!(log.contains("--b is `360`; test images have numbers from 0 to 359"), "{log}");

    let bytes = fs::read(&checkpoint).expect("a file");
    let itself = folder.path().join("./checkpoint-000000016.safetensors");
    let itself = itself.to_str().expect("a text");
    let (refused, log) = run(&["interpolate", "--a", "0", "--b", "7", "-o", itself], &checkpoint);
    assert_eq!(refused.status.code(), Some(1));
    assert!(log.contains("would replace the checkpoint itself"), "{log}");
    assert!(fs::read(&checkpoint).expect("a file") == bytes);
}

#[test]
fn interpolate_writes_the_way_between_strings_as_text() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut train = program();
    train.args([
        "train",
        "--dataset",
        "typeover32",
        "--depth",
        "2",
        "--model",
        "baseline",
        "--latent-width",
        "8",
    ]);
    train.args(["--batch", "8", "--total-kimg", "0.125", "--threads", "1", "--out"]).arg(folder.path());
    assert!(train.output().expect("the program starts").status.success());
    let checkpoint = checkpoint(folder.path(), 16);
    let way = folder.path().join("way.txt");
    let way_name = way.to_str().expect("a text");
    let between =
        |to: &str| run(&["interpolate", "--a", "0", "--b", to, "--steps", "3", "-o", way_name], &checkpoint);
    let (output, log) = between("my own string");
    assert!(output.status.success(), "{log}");
    let text = fs::read_to_string(&way).expect("a text");
    let lines: Vec<(&str, &str)> =
        text.lines().filter_map(|line| line.split_at_checked("0.5  ".len())).collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert_eq!(lines[0], ("a    ", "red old rabbits stare above snow"), "{text}");
    assert_eq!((lines[2].0, lines[2].1.chars().count()), ("0.5  ", 32), "{text}");
    assert_eq!((lines[4].0, lines[4].1.trim_end()), ("b    ", "my own string"), "{text}");

    for (to, complaint) in [
        ("no String", "`S` is no character of strings"),
        ("256", "--b is `256`; test strings have numbers from 0 to 255"),
    ] {
        let (refused, log) = between(to);
        assert!(refused.status.code() == Some(1) && log.contains(complaint), "{log}");
    }
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
    assert_eq!(
        size(&picture),
        (margin + 7 * 32 + 6 * 2, HEADING + 4 * 32 + 3 * 2),
        "two rows for each of two pairs"
    );

    let (refused, log) = run(&[&["interpolate"], &both[..], &pairs[..6]].concat(), &second);
    assert_eq!(refused.status.code(), Some(1));
    assert!(log.contains("--a is given 2 times and --b 1 times"), "{log}");
}

#[test]
fn interpolate_walks_from_the_first_image_to_the_last_and_back_in_an_animation() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_, checkpoint) = train(folder.path());
    let file = folder.path().join("moving.png");
    let name = file.to_str().expect("a text");
    let (output, log) =
        run(&["interpolate", "--a", "0", "--b", "7", "--steps", "5", "--animate", "-o", name], &checkpoint);
    assert!(output.status.success(), "{log}");

    let mut decoder = png::Decoder::new(BufReader::new(File::open(&file).expect("a picture")))
        .read_info()
        .expect("a PNG file");
    let frames = decoder.info().animation_control.expect("an animation").num_frames;
    assert_eq!(frames, 5 + 3, "each step on the way there, and those between the ends on the way back");
    let shown: Vec<Vec<u8>> = (0..frames)
        .map(|_| {
            let mut pixels = vec![0; decoder.output_buffer_size().expect("a size")];
            decoder.next_frame(&mut pixels).expect("a frame");
            pixels
        })
        .collect();
    assert_ne!(shown[0], shown[1], "the walk moves");
    assert_eq!(shown[1..4], [&shown[7], &shown[6], &shown[5]].map(Clone::clone), "and comes back on its way");
    assert_eq!(
        size(&file),
        (3 * 96 + 2 * 2, HEADING + 96),
        "the step that was come to stands between the images"
    );
}

/// Pixels above the images, for what is written there.
const HEADING: u32 = 8 + 2 * 2;

#[test]
fn interpolate_takes_pictures_for_ends_also_beside_numbers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_, checkpoint) = train_model(folder.path(), &["baseline"], 0);
    let path = |name: &str| folder.path().join(name).to_str().expect("a text").to_owned();
    // Black at the left and right, which the middle square leaves out, and white in the middle.
    let row = |x: u32| if (32..96).contains(&x) { [255, 255, 255] } else { [0, 0, 0] };
    write_png(&path("wide.png"), 128, 64, row);
    write_png(&path("small.png"), 20, 15, row);
    fs::write(path("text.png"), "no picture").expect("it can be written");
    let draw = |ends: [&str; 4], output: &str| {
        let output = path(output);
        let arguments =
            ["interpolate", "--steps", "5", "--a", ends[0], "--b", ends[1], "--a", ends[2], "--b", ends[3]];
        run(&[&arguments[..], &["-o", &output]].concat(), &checkpoint)
    };
    let (output, log) = draw([&path("wide.png"), "7", "7", &path("wide.png")], "mixed.png");
    assert!(output.status.success(), "{log}");
    let (output, log) = draw(["7", "7", "7", "7"], "numbers.png");
    assert!(output.status.success(), "{log}");
    let (mixed, numbers) = (images(Path::new(&path("mixed.png"))), images(Path::new(&path("numbers.png"))));
    assert_eq!(mixed[0][0], [255; 32 * 32], "the middle of the picture");
    assert_eq!(mixed[1][6], [255; 32 * 32]);
    assert_eq!((&mixed[0][6], &mixed[1][0]), (&numbers[0][0], &numbers[0][0]), "the test image");
    assert!(mixed[0][1] != numbers[0][1] && mixed[0][5] == numbers[0][5], "codes are those of the ends");

    for (file, complaint) in [
        ("text.png", "--a is no number of a test image and no picture: picture `"),
        ("small.png", "it is 20×15 pixels, too small: 16×16 are needed"),
        ("none.png", "none.png`: check that it is there and its permissions: No such file"),
    ] {
        let (refused, log) = draw([&path(file), "1", "1", "2"], "refused.png");
        assert_eq!(refused.status.code(), Some(1));
        assert!(log.contains(complaint) && log.contains(&path(file)) && log.lines().count() == 1, "{log}");
    }
}

/// Writes a picture in colours whose columns have these.
fn write_png(path: &str, width: u32, height: u32, colour: impl Fn(u32) -> [u8; 3]) {
    let mut encoder = png::Encoder::new(File::create(path).expect("it can be written"), width, height);
    encoder.set_color(png::ColorType::Rgb);
    let pixels: Vec<u8> = (0..height).flat_map(|_| (0..width).flat_map(&colour)).collect();
    let mut writer = encoder.write_header().expect("it can be written");
    writer.write_image_data(&pixels).expect("it can be written");
}

/// The images of a grey picture without labels, by row and column.
fn images(picture: &Path) -> Vec<Vec<Vec<u8>>> {
    let file = BufReader::new(File::open(picture).expect("the picture was written"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG file");
    let (width, height) = reader.info().size();
    let mut pixels = vec![0; (width * height) as usize];
    reader.next_frame(&mut pixels).expect("its pixels");
    let image = |top: u32, left: u32| {
        let rows = (top..top + 32).map(|y| (y * width + left) as usize);
        rows.flat_map(|start| pixels[start..start + 32].to_vec()).collect()
    };
    let row = |top: u32| (0..width).step_by(34).map(|left| image(top, left)).collect();
    (HEADING..height).step_by(34).map(row).collect()
}

fn size(picture: &Path) -> (u32, u32) {
    let file = BufReader::new(File::open(picture).expect("the picture was written"));
    png::Decoder::new(file).read_info().expect("a PNG file").info().size()
}
