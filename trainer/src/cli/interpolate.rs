//! `acai-trainer interpolate`: a strip of images between two.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use acai_trainer::benchmark::Path;
use acai_trainer::picture::png;
use anyhow::{Context, ensure};
use clap::Args;
use tch::Tensor;

use super::trained::{Opened, Trained};

/// Draw the way between two test images as a strip of decoded codes, with the two at its ends
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  acai-trainer interpolate lines/checkpoint-000001536.safetensors --a 0 --b 1 -o strip.png
  acai-trainer interpolate lines/checkpoint-000001536.safetensors --a 0 --b 1 --spherical --steps 8 -o strip.png")]
pub(super) struct Interpolate {
    #[command(flatten)]
    trained: Trained,
    /// Number of the first test image, from 0
    #[arg(long, value_name = "I")]
    a: i64,
    /// Number of the last test image
    #[arg(long, value_name = "J")]
    b: i64,
    /// Decoded codes, with both ends
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(i64).range(2..=256))]
    steps: i64,
    /// Along a great circle instead of straight
    #[arg(long)]
    spherical: bool,
    /// PNG file to write; one of that name is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Interpolate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Interpolate { trained, a, b, steps, spherical, output } = self;
        let Opened { model, benchmark, .. } = trained.open()?;
        let images = &benchmark.source.test().images;
        let last = images.size()[0] - 1;
        for (flag, image) in [("--a", a), ("--b", b)] {
            ensure!(
                (0..=last).contains(&image),
                "{flag} is `{image}`; test images have numbers from 0 to {last}"
            );
        }
        let path = if spherical { Path::Sphere } else { Path::Line };
        let way = benchmark.interpolate(&*model, (&[a], &[b]), steps, path); // [1, steps, c, 32, 32]
        let [a, b] = [a, b].map(|image| images.narrow(0, image, 1).unsqueeze(0).to_device(way.device()));
        let strip = png(&Tensor::cat(&[&a, &way, &b], 1));
        fs::write(&output, strip).with_context(|| format!("cannot write `{}`", output.display()))?;
        writeln!(io::stderr(), "wrote {}", output.display())?;
        Ok(ExitCode::SUCCESS)
    }
}
