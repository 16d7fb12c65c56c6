//! `acai doctor`

use std::path::PathBuf;

use clap::Args;

use super::Ask;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai doctor                                  as a worker here would find things
  acai doctor --access worker.toml --data /srv/data --state /scratch/acai

What is wrong makes the exit code 1; what is only worth knowing does not.")]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    pub(crate) ask: Ask,
    /// Folder of a worker's files
    #[arg(long, value_name = "DIR", default_value = ".acai")]
    pub(crate) state: PathBuf,
    /// Folder of the datasets that are files
    #[arg(long, value_name = "DIR", env = "ACAI_DATA", default_value = "data")]
    pub(crate) data: PathBuf,
    /// The trainer program [default: acai-trainer beside acai, then on PATH]
    #[arg(long, value_name = "FILE", env = "ACAI_TRAINER")]
    pub(crate) trainer: Option<PathBuf>,
}
