//! Commands that change what is queued and running.

use clap::{ArgGroup, Args};

use super::Ask;
use super::target::{Target, one_sweep};

pub(super) const CANCEL_EXAMPLES: &str = "\
Examples:
  acai cancel demo            every run of the sweep that has not ended
  acai cancel demo/3 demo/5   two of them

A run that a worker trains is asked with the worker's next renewal, within some ten seconds; it
checkpoints first. A run that completes before that is completed.";

pub(super) const RESUME_EXAMPLES: &str = "\
Examples:
  acai resume demo            the sweep, and every run of it that was set aside by itself
  acai resume demo/3          one run that was set aside";

#[derive(Debug, Args)]
pub(crate) struct SelectionArguments {
    /// Sweeps and runs: SWEEP, SWEEP/NUMBER or SWEEP/FIRST-LAST
    #[arg(required = true, value_name = "SWEEP[/NUMBERS]")]
    pub(crate) targets: Vec<Target>,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai pause demo             start no more runs of it; those under way finish
  acai pause demo --now       those under way checkpoint and yield their devices
  acai pause demo/3           set one queued run aside

`acai resume demo` brings back all of them.")]
pub(crate) struct PauseArguments {
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Have runs under way checkpoint and yield, instead of letting them finish
    #[arg(long)]
    pub(crate) now: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai forget demo --dry-run    what it has
  acai forget demo              says that, and asks

Everything goes: runs, points, checkpoints, pictures, events. What workers have on their own disks stays there.")]
pub(crate) struct ForgetArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    /// Only say what it has
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai retry demo                          all that are failed, lost or diverged, from their checkpoints
  acai retry demo --state cancelled        those that a person ended
  acai retry demo/3 --from-scratch         one of them, forgetting its checkpoints")]
pub(crate) struct RetryArguments {
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Which of them [default: failed,lost,diverged]
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub(crate) state: Vec<acai_sweep::run::RunState>,
    /// Forget their checkpoints
    #[arg(long)]
    pub(crate) from_scratch: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("limits").required(true).multiple(true), after_help = "\
Examples:
  acai set demo --priority 10          before other sweeps
  acai set demo --max-concurrent 4     at most four of its runs at a time
  acai set demo --max-concurrent 0     as many as there is room for

Submitting the sweep's file again sets both to what the file says.")]
pub(crate) struct SetArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    /// Larger first
    #[arg(long, allow_negative_numbers = true, group = "limits")]
    pub(crate) priority: Option<i64>,
    /// Runs at a time; 0 for no limit
    #[arg(long, value_name = "RUNS", allow_negative_numbers = true, group = "limits")]
    pub(crate) max_concurrent: Option<u32>,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai cordon gpu-7      before work on that machine: what it trains goes on, nothing new begins
  acai drain gpu-7       what it trains is checkpointed too, and goes on elsewhere
  acai uncordon gpu-7    it may train again")]
pub(crate) struct DutyArguments {
    /// The worker's name, as `acai workers` shows it
    pub(crate) worker: String,
    #[command(flatten)]
    pub(crate) ask: Ask,
}
