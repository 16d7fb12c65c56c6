//! Speed of a model's whole step on lines32 (drawing the batch, losses, gradients, Adam), at the paper's sizes, on
//! the CPU or on the device that the first argument names as `--device` does.
//!
//! For each line `MODEL DEPTH BATCH THREADS GROUP PRECISION` on standard input it measures one window, GROUP runs trained as
//! one program, and answers `IMAGES_PER_SECOND IMAGES_PER_CPU_SECOND PEAK_MIB`, so that another program can take turns with it (`eager`
//! does): on a shared machine only such figures compare. What stays set up from one line to the next is the
//! training of the last line.
//!
//! `cargo test` runs it as well, naming no device: it then trains a few steps and reads no line. Its figures mean nothing
//! then, but it is known to work.

mod processor;

use std::fs;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use acai_sweep::configuration::Configuration;
use acai_sweep::scalar::Scalar;
use acai_sweep::training::TrainingConfig;
use acai_trainer::data::{self, Source};
use acai_trainer::model::{self, Input, Losses, Model};
use acai_trainer::network::channels_last;
use acai_trainer::random::Keyed;
use acai_trainer::{allocator, device};
use anyhow::{Context, bail};
use tch::{Device, Kind, Tensor};

const WINDOW: Duration = Duration::from_secs(1);
/// Steps between two readings of the losses; a training reads them every 50.
const READ_STEPS: u64 = 5;

/// A training that goes on for as long as it is asked to.
struct Training {
    config: TrainingConfig,
    model: Box<dyn Model>,
    source: Box<dyn Source>,
    seeds: u64,
    step: u64,
    device: Device,
}

impl Training {
    fn new(
        model: &str,
        (depth, batch): (i64, i64),
        group: u64,
        precision: &str,
        device: Device,
    ) -> anyhow::Result<Training> {
        let latent_width = if model == "vqvae" { 4 } else { 2 };
        let config = Configuration::new([
            ("model", Scalar::from(model)),
            ("dataset", Scalar::from("lines32")),
            ("depth", Scalar::Int(depth)),
            ("batch", Scalar::Int(batch)),
            ("latent_width", Scalar::Int(latent_width)),
            ("precision", Scalar::from(precision)),
        ])?
        .training_config();
        let source = data::open(&config.dataset, None)?;
        let images = (source.medium(), source.classes());
        let runs: Vec<_> = (0..group).map(|seed| (&config, seed)).collect();
        let model = model::new(&runs, images, (Kind::Float, device))?;
        Ok(Training { config, model, source, seeds: group, step: 0, device })
    }

    fn step(&mut self) -> Losses {
        let keys: Vec<(u64, u64)> = (0..self.seeds).map(|seed| (seed, self.step)).collect();
        let size = self.config.batch as usize;
        let batches: Vec<_> = keys.iter().map(|(seed, step)| self.source.batch(*seed, *step, size)).collect();
        let images = Tensor::cat(&batches.iter().map(|batch| &batch.images).collect::<Vec<_>>(), 1);
        let labels = Tensor::stack(&batches.iter().map(|batch| &batch.labels).collect::<Vec<_>>(), 0);
        let draws = Keyed { keys: &keys, options: (Kind::Float, self.device) };
        let (images, labels) = (device::send(&images, self.device), device::send(&labels, self.device));
        let input = Input { images: channels_last(&images), labels, draws: &draws };
        self.step += 1;
        model::step(&mut *self.model, &input, &vec![self.step; self.seeds as usize])
    }

    /// Images a second, and a second of processor time, of all runs together, over a window after a step that is not
    /// counted.
    fn speed(&mut self, threads: i32, window: Duration) -> (f64, f64) {
        tch::set_num_threads(threads);
        self.step().read();
        let (start, cpu_start, mut images) = (Instant::now(), processor::seconds(), 0);
        while start.elapsed() < window {
            // A device works on while the next steps are prepared; reading the losses waits for it.
            (0..READ_STEPS).map(|_| self.step()).last().map(|losses| losses.read());
            images += u64::from(self.config.batch) * self.seeds * READ_STEPS;
        }
        let images = images as f64;
        (images / start.elapsed().as_secs_f64(), images / (processor::seconds() - cpu_start))
    }
}

/// Peak of resident memory so far, in MiB, as Linux counts it.
fn peak_mib() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named = arguments.iter().find(|name| *name == "cpu" || name.starts_with("cuda:"));
    if let Some(device) = named {
        allocator::tune();
        measure(io::stdin().lines(), device::open(device)?, WINDOW)
    } else if arguments.iter().any(|argument| argument == "--bench") {
        measure(io::stdin().lines(), Device::Cpu, WINDOW)
    } else {
        let lines = ["baseline 2 2 1 1 fp32", "acai 2 2 1 2 bf16"].map(|line| Ok(line.to_owned()));
        measure(lines, Device::Cpu, Duration::from_millis(1))
    }
}

fn measure(
    lines: impl IntoIterator<Item = io::Result<String>>,
    device: Device,
    window: Duration,
) -> anyhow::Result<()> {
    let mut out = io::stdout();
    let mut open: Option<(String, Training)> = None;
    for line in lines {
        let line = line?;
        let [name, depth, batch, threads, group, precision] = line.split_whitespace().collect::<Vec<_>>()[..]
        else {
            bail!("a line is `MODEL DEPTH BATCH THREADS GROUP PRECISION`, found `{line}`")
        };
        let what = format!("{name} {depth} {batch} {group} {precision}");
        let mut training = match open.take() {
            Some((is, training)) if is == what => training,
            _ => {
                let sizes = (depth.parse()?, batch.parse()?);
                Training::new(name, sizes, group.parse()?, precision, device)?
            }
        };
        let (images, per_cpu_second) = training.speed(threads.parse()?, window);
        writeln!(out, "{images:.1} {per_cpu_second:.1} {}", peak_mib()?)?;
        out.flush()?;
        open = Some((what, training));
    }
    Ok(())
}
