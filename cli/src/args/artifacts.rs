//! Commands about the files that runs leave.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Coordinator, Target};

const EXAMPLES: &str = "\
Examples:
  acai artifacts ls demo                      the pictures of all runs
  acai artifacts get demo/3 -o pictures       those of one run, at their last steps
  acai artifacts get demo --name interpolations.png --step all -o pictures
                                              one kind of picture of every run, as it changed with training";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ArtifactsArguments {
    #[command(subcommand)]
    pub(crate) command: ArtifactsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ArtifactsCommand {
    /// List what runs have left
    #[command(after_help = "\
Examples:
  acai artifacts ls demo                  of all runs and steps
  acai artifacts ls demo/3 --step last    of one run, at the last steps")]
    Ls {
        #[command(flatten)]
        chosen: ChosenArtifacts,
        /// Which steps: `last` of each run and name, `all`, or a number
        #[arg(long, value_name = "STEP", default_value = "all")]
        step: Step,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download it, into a folder for each run; again to fetch what is missing
    #[command(after_help = "\
Examples:
  acai artifacts get demo/3 -o pictures    those of one run, at their last steps
  acai artifacts get demo --name interpolations.png --step all -o pictures
                                           one kind of picture of every run, as it changed with training")]
    Get {
        #[command(flatten)]
        chosen: ChosenArtifacts,
        /// Which steps: `last` of each run and name, `all`, or a number
        #[arg(long, value_name = "STEP", default_value = "last")]
        step: Step,
        /// Folder for the files: DIR/SWEEP-NUMBER/NAME-STEP
        #[arg(long, short, value_name = "DIR")]
        output: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ChosenArtifacts {
    /// Sweeps and runs: SWEEP, SWEEP/NUMBER or SWEEP/FIRST-LAST
    #[arg(required = true, value_name = "SWEEP[/NUMBERS]")]
    pub(crate) targets: Vec<Target>,
    /// Only files of these names, such as interpolations.png
    #[arg(long = "name", value_name = "NAMES", value_delimiter = ',')]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) at: Coordinator,
}

/// Which steps' files are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Last,
    All,
    At(u64),
}

impl std::str::FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "last" => Ok(Step::Last),
            "all" => Ok(Step::All),
            step => {
                step.parse().map(Step::At).map_err(|_| "it is neither `last`, `all` nor a step".to_owned())
            }
        }
    }
}
