//! Commands about one run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::target::one_run;
use super::{Ask, Coordinator};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai show demo/3           what it trains, its attempts, scores and checkpoints
  acai show demo/3 --json    the same for programs")]
pub(crate) struct ShowArguments {
    /// The run: SWEEP/NUMBER, as `acai runs SWEEP` shows it
    #[arg(value_name = "SWEEP/NUMBER", value_parser = one_run)]
    pub(crate) run: (String, u32),
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai logs demo/3                 of its last attempt that left a log
  acai logs demo/3 --attempt 1     of the first one
  acai logs demo/3 -f              what comes too, until the run has ended

Control characters, which would command the terminal, are written out there, as \\u{1b}. A file or a program gets the log as the
trainer printed it; `less -R` shows its colours. `acai fetch demo/3 --what log` brings the logs of all attempts as files.")]
pub(crate) struct LogsArguments {
    /// The run: SWEEP/NUMBER, as `acai runs SWEEP` shows it
    #[arg(value_name = "SWEEP/NUMBER", value_parser = one_run)]
    pub(crate) run: (String, u32),
    /// Of which attempt [default: the last one that left a log; with --follow all]
    #[arg(long, value_name = "N")]
    pub(crate) attempt: Option<u32>,
    /// Print what comes too, until the run has ended
    #[arg(long, short)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) at: Coordinator,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai fetch demo/3                      its trained model, into demo-3/
  acai fetch demo/3 --what pictures -o paper
  acai fetch demo/3 --what checkpoint    with the optimizer's state, to go on from
  acai fetch demo/3 --what log           what its trainers have printed, demo-3/log-1.txt and so on

The checkpoint of a model is what `acai-trainer eval`, `interpolate` and `export` read; the weights are a plain
safetensors file, with names and shapes of PyTorch.")]
pub(crate) struct FetchArguments {
    /// The run: SWEEP/NUMBER, as `acai runs SWEEP` shows it
    #[arg(value_name = "SWEEP/NUMBER", value_parser = one_run)]
    pub(crate) run: (String, u32),
    /// What of it
    #[arg(long, value_enum, default_value_t = What::Checkpoint)]
    pub(crate) what: What,
    /// Folder for the files: DIR/SWEEP-NUMBER/
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) at: Coordinator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// The newest checkpoint, which of a completed run is its trained model
    Checkpoint,
    /// What that model has learnt, without the optimizer's state
    Weights,
    /// The pictures of the last step
    Pictures,
    /// What its trainers have printed, a file for each attempt
    Log,
}
