//! Speed of the whole ACAI step on lines32 (drawing the batch, losses, both gradients, Adam), at the paper's
//! sizes, on the CPU.
//!
//! `cargo bench --bench step` prints images/s and the peak of resident memory. With `--lockstep` it measures
//! one window for each line `BATCH THREADS` on standard input, so that another program can take turns with it
//! (`eager.py` does): on a shared machine only such figures compare.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use acai_sweep::training::{Dataset, Model as ModelConfig, TrainingConfig};
use acai_trainer::adam::Adam;
use acai_trainer::data::{self, Source};
use acai_trainer::model::{self, Input, Model};
use acai_trainer::network::channels_last;
use anyhow::Context;
use tch::{Device, Kind};

const WINDOW: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;

/// A training that goes on for as long as it is asked to.
struct Training {
    batch: u32,
    model: Box<dyn Model>,
    source: Box<dyn Source>,
    step: u64,
}

impl Training {
    fn new(batch: u32) -> anyhow::Result<Training> {
        let config = TrainingConfig {
            model: ModelConfig::Acai { lambda: 0.5, gamma: 0.2, advdepth: 16 },
            dataset: Dataset::Lines32,
            depth: 16,
            latent: 16,
            latent_width: 2,
            batch,
            lr: 1e-4,
            total_kimg: 16384.0,
            eval_kimg: 64.0,
        };
        let source = data::open(config.dataset, None)?;
        let images = (source.channels(), source.classes());
        let model = model::new(&config, images, 0, (Kind::Float, Device::Cpu))?;
        Ok(Training { batch, model, source, step: 0 })
    }

    fn step(&mut self) {
        let batch = self.source.batch(0, self.step, self.batch as usize);
        let input = Input { images: channels_last(&batch.images), labels: batch.labels };
        model::step(&mut *self.model, &Adam { lr: 1e-4 }, &input, 0, self.step);
        self.step += 1;
    }

    /// Images a second over a window, after a step that is not counted.
    fn speed(&mut self, threads: i32) -> f64 {
        tch::set_num_threads(threads);
        self.step();
        let (start, mut steps) = (Instant::now(), 0);
        while start.elapsed() < WINDOW {
            self.step();
            steps += 1;
        }
        f64::from(steps * self.batch) / start.elapsed().as_secs_f64()
    }
}

/// Peak of resident memory so far, in MiB, as Linux counts it.
fn peak_mib() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

fn main() -> anyhow::Result<()> {
    let mut trainings = BTreeMap::new();
    for batch in [16, 64] {
        trainings.insert(batch, Training::new(batch)?);
    }
    let mut out = io::stdout();
    if std::env::args().any(|argument| argument == "--lockstep") {
        for line in io::stdin().lines() {
            let line = line?;
            let (batch, threads) = line.split_once(' ').context("a line is `BATCH THREADS`")?;
            let training = trainings.get_mut(&batch.parse::<u32>()?).context("batch is 16 or 64")?;
            writeln!(out, "{:.1} {}", training.speed(threads.parse()?), peak_mib()?)?;
        }
        return Ok(());
    }
    for threads in [1, 2] {
        for (batch, training) in &mut trainings {
            let mut speeds: Vec<f64> = (0..ROUNDS).map(|_| training.speed(threads)).collect();
            speeds.sort_by(f64::total_cmp);
            let (median, low, high) = (speeds[ROUNDS / 2], speeds[0], speeds[ROUNDS - 1]);
            writeln!(out, "batch {batch}, threads {threads}: {median:.0} images/s [{low:.0} to {high:.0}]")?;
        }
    }
    Ok(writeln!(out, "peak of resident memory: {} MiB", peak_mib()?)?)
}
