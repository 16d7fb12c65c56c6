//! `acai-trainer interpolate`: the ways between images, of one trained model or of several below each other.

use std::fs;
use std::io::{self, Write};
use std::iter;
use std::path::PathBuf;
use std::process::ExitCode;

use acai_trainer::benchmark::Path;
use acai_trainer::checkpoint::{self, Header};
use acai_trainer::picture::{Raster, animation, share, strips};
use anyhow::{Context, ensure};
use clap::Args;
use serde_json::{Map, Value};
use tch::Tensor;

use super::Machine;
use super::end_point::EndPoint;
use super::output_file;
use super::trained::Opened;

/// How many times as wide and high images are in an animation, which is seen without being enlarged.
const ENLARGED: i64 = 3;

/// Draw the way between two images, or strings, as a strip of decoded codes, with the two at its ends
///
/// Each end of a model of images is a test image, by its number, or a PNG or JPEG file of your own, by its path. Such a picture is brought to
/// 32 × 32 as the dataset `images:PATH` does it: the largest square in its middle (as long as its shorter side) is
/// scaled, bicubic. For a model of grey images it is made grey.
///
/// Above the strips stands α, the share of the way from `a` to `b`. Strips of several checkpoints stand below each
/// other, each with what tells it from the others. With --animate the ways are walked instead, all at once, from `a` to `b`
/// and back: an animated PNG, which browsers show.
///
/// For a model of strings each end is the number of a test string or the string itself, and a text file is written, a line for
/// each code.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  acai-trainer interpolate lines/checkpoint-000001536.safetensors --a 0 --b 1 -o strip.png
  acai-trainer interpolate lines/checkpoint-000001536.safetensors --a 0 --b 1 --spherical --steps 8 -o strip.png
  acai-trainer interpolate faces/checkpoint-000065536.safetensors --a me.jpg --b you.png --a 0 --b me.jpg -o strips.png
  acai-trainer interpolate baseline/checkpoint-*.safetensors acai/checkpoint-*.safetensors --a 0 --b 1 --a 2 --b 3 -o both.png
  acai-trainer interpolate lines/checkpoint-000001536.safetensors --a 0 --b 1 --animate --steps 24 -o moving.png
  acai-trainer interpolate typeover/checkpoint-000001536.safetensors --a 0 --b 'your monks jump below lazy hills' -o way.txt")]
pub(super) struct Interpolate {
    /// Checkpoints that `acai-trainer train` or workers wrote, of one dataset
    #[arg(required = true, value_name = "CHECKPOINT")]
    checkpoints: Vec<PathBuf>,
    /// The first image: the number of a test image, from 0, or a picture's file (one that is called by a number: ./7), or a string;
    /// may be repeated, with as many --b
    #[arg(long = "a", value_name = "NUMBER|FILE|STRING", required = true)]
    from: Vec<EndPoint>,
    /// The last image: the number of a test image, or a picture's file
    #[arg(long = "b", value_name = "NUMBER|FILE|STRING", required = true)]
    to: Vec<EndPoint>,
    /// Decoded codes, with both ends
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(i64).range(2..=256))]
    steps: i64,
    /// Along a great circle instead of straight
    #[arg(long)]
    spherical: bool,
    /// An animation instead of strips: each step is a frame, shown for 80 ms
    #[arg(long)]
    animate: bool,
    /// PNG file to write, for strings a text file; one of that name is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    machine: Machine,
}

impl Interpolate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Interpolate { checkpoints, from, to, steps, spherical, animate, output, machine } = self;
        ensure!(
            from.len() == to.len(),
            "--a is given {} times and --b {} times; each way has one of both",
            from.len(),
            to.len()
        );
        output_file::check(&output, &checkpoints)?;
        let headers = checkpoints.iter().map(|file| checkpoint::read_header(file));
        let headers = headers.collect::<Result<Vec<Header>, _>>()?;
        for (header, file) in headers.iter().zip(&checkpoints) {
            let (dataset, first) = (&header.identity.config.dataset, &headers[0].identity.config.dataset);
            ensure!(
                dataset == first,
                "`{}` is of `{}` and `{}` of `{}`; checkpoints beside each other are of one dataset",
                file.display(),
                dataset.name(),
                checkpoints[0].display(),
                first.name()
            );
        }
        let of_strings = headers[0].identity.config.dataset.is_strings();
        ensure!(
            !(of_strings && animate),
            "strings are written as text, which does not move: leave --animate out"
        );
        let labels = labels(&headers);
        let path = if spherical { Path::Sphere } else { Path::Line };
        let mut benchmarks = machine.prepare()?;
        let mut ways = Vec::with_capacity(checkpoints.len());
        for (header, file) in headers.into_iter().zip(&checkpoints) {
            ways.push(walk(&Opened::load(header, file, &mut benchmarks)?, (&from, &to), steps, path)?);
        }
        let drawn = match (of_strings, animate) {
            (true, _) => texts(&labels, &ways, steps).into_bytes(),
            (false, true) => animation(&frames(&labels, &ways, steps)),
            (false, false) => below_each_other(&labels, &ways, steps).png(),
        };
        fs::write(&output, drawn).with_context(|| format!("cannot write `{}`", output.display()))?;
        writeln!(io::stderr(), "wrote {}", output.display())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The ways of a model between pairs of images, with the images themselves at the ends: `[pairs, steps + 2, c, 32, 32]`.
fn walk(
    opened: &Opened,
    (from, to): (&[EndPoint], &[EndPoint]),
    steps: i64,
    path: Path,
) -> anyhow::Result<Tensor> {
    let source = &*opened.benchmark.source;
    let (from, to) = (EndPoint::examples(from, "--a", source)?, EndPoint::examples(to, "--b", source)?);
    let way = opened.benchmark.interpolate(&*opened.model, (&from, &to), steps, path);
    let [from, to] = [from, to].map(|images| images.unsqueeze(1).to_device(way.device()));
    Ok(Tensor::cat(&[&from, &way, &to], 1))
}

/// The ways as strips, those of one pair below each other.
fn below_each_other(labels: &[String], ways: &[Tensor], steps: i64) -> Raster {
    let rows = (0..ways[0].size()[0]).flat_map(|pair| {
        let labelled = labels.iter().zip(ways);
        labelled.map(move |(label, ways)| (label.clone(), Raster::grid(&ways.narrow(0, pair, 1))))
    });
    Raster::labelled(&headings(steps), &rows.collect::<Vec<_>>())
}

/// The ways of strings as text: those of one pair below each other, each below what tells its checkpoint from the others.
fn texts(labels: &[String], ways: &[Tensor], steps: i64) -> String {
    let columns: Vec<String> = iter::once("a".to_owned())
        .chain((0..steps).map(|step| share(step, steps)))
        .chain(["b".to_owned()])
        .collect();
    let pairs = (0..ways[0].size()[0]).flat_map(|pair| {
        let columns = &columns;
        labels.iter().zip(ways).map(move |(label, ways)| {
            let heading = if label.is_empty() { String::new() } else { format!("{label}\n") };
            heading + &strips(columns, &ways.narrow(0, pair, 1))
        })
    });
    pairs.collect::<Vec<_>>().join("\n")
}

/// The ways as frames, from `a` to `b` and back: a row for each model, in which each pair has its two images with the code
/// that the walk has come to between them.
fn frames(labels: &[String], ways: &[Tensor], steps: i64) -> Vec<Raster> {
    let frame = |step: i64| {
        let headings = ["a".to_owned(), share(step, steps), "b".to_owned()];
        let headings = iter::repeat_n(headings, ways[0].size()[0] as usize).flatten().collect::<Vec<_>>();
        let images = |ways: &Tensor| {
            let shown =
                ways.index_select(1, &Tensor::from_slice(&[0, step + 1, steps + 1]).to_device(ways.device()));
            let larger = shown.repeat_interleave_self_int(ENLARGED, -1, None);
            larger.repeat_interleave_self_int(ENLARGED, -2, None).flatten(0, 1).unsqueeze(0)
        };
        let rows = labels.iter().zip(ways).map(|(label, ways)| (label.clone(), Raster::grid(&images(ways))));
        Raster::labelled(&headings, &rows.collect::<Vec<_>>())
    };
    (0..steps).chain((1..steps - 1).rev()).map(frame).collect()
}

/// What stands above the columns: the two images are `a` and `b`, and of the codes between them those have their share of
/// the way that are nearest to its quarters. The others would leave no room.
fn headings(steps: i64) -> Vec<String> {
    let quarters =
        [0.0, 0.25, 0.5, 0.75, 1.0].map(|quarter: f64| (quarter * (steps - 1) as f64).round() as i64);
    let heading = |step| if quarters.contains(&step) { share(step, steps) } else { String::new() };
    let between = (0..steps).map(heading);
    [&["a".to_owned()], &between.collect::<Vec<_>>()[..], &["b".to_owned()]].concat()
}

/// What tells each checkpoint from the others: the settings in which they differ. Nothing where there is only one.
fn labels(headers: &[Header]) -> Vec<String> {
    let settings: Vec<Map<String, Value>> = headers.iter().map(settings).collect();
    let differs = |name: &String| settings.iter().any(|other| other.get(name) != settings[0].get(name));
    let label = |settings: &Map<String, Value>| {
        let differing = settings.iter().filter(|(name, _)| differs(name));
        let words = differing.map(|(name, value)| match value {
            Value::String(word) => word.clone(),
            value => format!("{}={value}", symbol(name)),
        });
        words.collect::<Vec<_>>().join(" ")
    };
    settings.iter().map(label).collect()
}

/// All settings of a checkpoint's run, its seed, and how far the run was.
fn settings(header: &Header) -> Map<String, Value> {
    let Ok(Value::Object(mut settings)) = serde_json::to_value(&header.identity.config) else {
        unreachable!("a configuration is an object of scalars")
    };
    settings.insert("seed".to_owned(), header.identity.seed.into());
    settings.insert("step".to_owned(), header.progress.step.into());
    settings
}

fn symbol(name: &str) -> &str {
    match name {
        "lambda" => "λ",
        "gamma" => "γ",
        "beta" => "β",
        other => other,
    }
}
