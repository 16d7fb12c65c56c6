//! `acai fleet …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Coordinator, ObservingArguments};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai fleet up gpu.yaml        starts machines, as many as there is work for, until stopped
  acai fleet status gpu.yaml    what there is to do, and which jobs there are
  acai fleet down gpu.yaml      ends them; their runs go on elsewhere, or later")]
pub(crate) struct FleetArguments {
    #[command(subcommand)]
    pub(crate) command: FleetCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FleetCommand {
    /// Have machines train for a coordinator, as many as there is work for, until stopped
    Up(UpArguments),
    /// List the fleets that have jobs in Slurm's queue
    #[command(after_help = "\
Examples:
  acai fleet ls    how many jobs of each fleet wait, and how many run")]
    Ls,
    /// Show a fleet: what there is to do, its jobs, why it waits
    #[command(after_help = "\
Examples:
  acai fleet status gpu.yaml    also what the jobs in the queue wait for")]
    Status(FleetFileArguments),
    /// End a fleet: what has not begun is cancelled, workers write checkpoints and give their runs back
    #[command(after_help = "\
Examples:
  acai fleet down gpu.yaml    those that train write checkpoints first")]
    Down(FleetFileArguments),
}

/// A fleet, and the coordinator that it trains for.
#[derive(Debug, Args)]
pub(crate) struct FleetFileArguments {
    #[command(flatten)]
    pub(crate) at: Coordinator,
    /// The fleet's file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai fleet up gpu.yaml               on a login node, or wherever sbatch is and the coordinator can be reached
  acai fleet up gpu.yaml --dry-run     print the job's script, and ask Slurm whether it could run

A fleet's file for Slurm:
  kind: slurm
  name: a100
  max_workers: 20
  time_limit: 4h
  sbatch: [--partition=gpu, --gres=gpu:1, --cpus-per-task=8]
  setup: module load cuda
  worker: [--group-size, '16']
  runs_per_worker: 16

docs/deploy.md has all keys, and those of the kinds local and ssh.

The loop has no state but Slurm's queue: it may be stopped, killed and started again at any time, and on another host.
Its jobs go on without it, and end by themselves when there is nothing to do.")]
pub(crate) struct UpArguments {
    #[command(flatten)]
    pub(crate) fleet: FleetFileArguments,
    /// Print what would be submitted, and whether Slurm would take it; submit nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) observing: ObservingArguments,
}
