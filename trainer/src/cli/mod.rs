//! The command line.

mod end_point;
mod eval;
mod export;
mod hyperparameters;
mod interpolate;
mod output_file;
mod output_folder;
mod progress;
mod scores;
mod serve;
mod train;
mod trained;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use acai_trainer::benchmark::Benchmarks;
use acai_trainer::{allocator, device, libtorch};
use clap::{Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

/// Trains interpolating autoencoders (ACAI, Berthelot et al. 2018) on libtorch.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::Train),
    Eval(eval::Eval),
    Interpolate(interpolate::Interpolate),
    Export(export::Export),
    Serve(serve::Serve),
}

impl Arguments {
    /// What the command line and the environment say. Ends the process where they ask for help, or are wrong.
    pub(crate) fn read() -> Arguments {
        let command = without_empty_variables(Arguments::command());
        Arguments::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }

    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Train(train) => {
                allocator::tune();
                train.run()
            }
            Command::Eval(eval) => eval.run(),
            Command::Interpolate(interpolate) => interpolate.run(),
            Command::Export(export) => export.run(),
            Command::Serve(serve) => {
                allocator::tune();
                serve.run()
            }
        }
    }
}

/// The command, for which a variable that is set to nothing counts as one that is not set.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let see = |argument: Arg| {
        let is_empty = argument.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { argument.env(None::<&'static str>) } else { argument }
    };
    command.mut_args(see).mut_subcommands(without_empty_variables)
}

/// What a training process runs on.
#[derive(Debug, Args)]
#[command(next_help_heading = "Machine")]
struct Machine {
    /// Where to train: `cpu` or `cuda:N`
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: String,
    /// Threads that one operation uses on the CPU [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Folder of the datasets that are files (`DIR/mnist/train-images-idx3-ubyte`, also `.gz`), which PATH of
    /// `images:PATH` is relative to; `acai data ls` shows where in it
    #[arg(long, value_name = "DIR", env = "ACAI_DATA", default_value = "data")]
    data: PathBuf,
}

impl Machine {
    /// Sets up libtorch; no dataset is open yet.
    fn prepare(self) -> anyhow::Result<Benchmarks> {
        libtorch::check()?;
        let device = device::open(&self.device)?;
        if let Some(threads) = self.threads {
            tch::set_num_threads(threads.into());
        }
        Ok(Benchmarks::new(device, Some(self.data)))
    }
}
