//! `acai-trainer train`: one run, without a worker.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acai_sweep::trainer_protocol::{Event, Member};
use acai_trainer::session::{Group, Refusal, Said, SessionError};
use anyhow::{Context, bail};
use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::Machine;
use super::hyperparameters::Hyperparameters;
use super::output_folder::{checkpoints, prune};
use super::progress::Progress;
use super::scores::print;

/// Exit code after an interruption, as shells have it for SIGINT.
const INTERRUPTED: u8 = 130;

/// Train one autoencoder and print its final scores
///
/// Ctrl-C writes a checkpoint and ends; `--resume` goes on from there, to the very weights that an
/// uninterrupted training would have reached (on the CPU, with the same number of threads). So it does with a larger
/// `--total-kimg`, also when the training has come to its end.
///
/// Settings of glibc's allocator in GLIBC_TUNABLES are kept; without any, the program starts itself anew with some that suit
/// training.
///
/// `--dataset images:PATH` is a folder of your own PNG and JPEG pictures, PATH being relative to `--data`. Its
/// subfolders, if it has any, are the labels. Of each picture, the largest square in its middle (as long as its shorter
/// side) is scaled to 32 × 32, bicubic. A tenth of the pictures is tested on and not trained on: sorted by subfolder and
/// file name, every tenth.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  acai-trainer train --model acai --dataset lines32 --total-kimg 96 --out lines
  acai-trainer train --model acai --dataset lines32 --total-kimg 96 --out lines --resume
  acai-trainer train --model acai --dataset lines32 --total-kimg 192 --out lines --resume     twice as long as before
  acai-trainer train --model baseline --dataset mnist32 --data data --out mnist --json
  acai-trainer train --model acai --dataset images:faces --data data --out faces     pictures in data/faces")]
pub(super) struct Train {
    /// Folder for checkpoints, made if missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on from the newest checkpoint in the folder, if there is one
    #[arg(long)]
    resume: bool,
    /// Training between two checkpoints, in units of 1024 images
    #[arg(long, value_name = "KIMG", default_value_t = 64.0, allow_negative_numbers = true)]
    checkpoint_kimg: f64,
    /// Print the final scores as JSON
    #[arg(long)]
    json: bool,
    /// Key of all random numbers
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    hyperparameters: Hyperparameters,
    #[command(flatten)]
    machine: Machine,
}

impl Train {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let member = self.member()?;
        let (config, folder) = (member.config.clone(), member.folder.clone());
        let mut benchmarks = self.machine.prepare()?;
        let (group, refusals) = Group::open(vec![member], &mut benchmarks);
        go_on(refusals)?;
        let mut group = group.context("a run that is not refused is in training")?;
        let interrupted = interruption()?;
        let step = |group: &Group| group.steps().next().map_or(config.total_steps(), |(_, step)| step);
        let progress = Progress::new(&config, step(&group))?;
        if step(&group) > 0 {
            progress.say(&format!("resuming at step {}", step(&group)));
        }
        let mut scores = BTreeMap::new();
        loop {
            group.advance(&mut |_, _| progress.scoring())?;
            let Said { events, refusals } = group.take_said();
            progress.at(step(&group));
            go_on(refusals)?;
            for event in events {
                match event {
                    Event::Evaluated { step, values, .. } => {
                        progress.evaluated(step, &values);
                        scores.extend(values);
                    }
                    Event::Checkpoint { .. } => prune(&folder)?,
                    Event::Finished { step, .. } => {
                        progress.finish();
                        print(step, &scores, self.json)?;
                        return Ok(ExitCode::SUCCESS);
                    }
                    _ => {}
                }
            }
            if interrupted.load(Ordering::Relaxed) {
                let step = step(&group);
                group.checkpoint(|_| true, true)?;
                go_on(group.take_said().refusals)?;
                prune(&folder)?;
                progress.say(&format!("interrupted at step {step}; `--resume` goes on from there"));
                return Ok(INTERRUPTED.into());
            }
        }
    }

    /// The run, with its folder ready.
    fn member(&self) -> anyhow::Result<Member> {
        let config = self.hyperparameters.config()?;
        let folder = self.out.clone();
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make output folder `{}`", folder.display()))?;
        let newest = checkpoints(&folder)?.pop();
        if let (Some(checkpoint), false) = (&newest, self.resume) {
            bail!(
                "`{}` is from an earlier training; add `--resume` to go on from it, or choose another `--out`",
                checkpoint.display()
            );
        }
        let (seed, checkpoint_kimg) = (self.seed, self.checkpoint_kimg);
        let own = BTreeMap::new();
        let weights = false;
        Ok(Member { run: 0, seed, config, own, folder, resume: newest, checkpoint_kimg, weights })
    }
}

/// The error of a run that cannot go on.
fn go_on(refusals: Vec<Refusal>) -> Result<(), SessionError> {
    refusals.into_iter().next().map_or(Ok(()), |(_, _, error)| Err(error))
}

/// A flag that the first SIGINT or SIGTERM sets; the second ends the program at once.
fn interruption() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, INTERRUPTED.into(), interrupted.clone())?;
        flag::register(signal, interrupted.clone())?;
    }
    Ok(interrupted)
}
