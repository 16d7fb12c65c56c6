//! Sweeps in folders that need no server.

use std::path::PathBuf;

use clap::Args;

use super::Coordinator;
use super::target::one_sweep;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai export demo -o demo-2026              everything of a sweep, in a new folder; its README.md says what is what
  acai export demo -o numbers --no-files     without pictures, logs and weights
  acai import demo-2026                      the sweep and its results, on another coordinator")]
pub(crate) struct ExportArguments {
    /// The sweep's name
    #[arg(value_parser = one_sweep)]
    pub(crate) sweep: String,
    /// Folder to make
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Leave out pictures, logs and weights
    #[arg(long)]
    pub(crate) no_files: bool,
    #[command(flatten)]
    pub(crate) at: Coordinator,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  acai import demo-2026                          a folder that `acai export` has made, with its pictures, logs and weights
  acai import demo-2026 --access there.toml      into the coordinator of an access file

Runs that had not ended are queued, to be trained from their beginning: checkpoints are not part of an export.

Files are uploaded first, and then all else is one transaction, for which workers wait: two million points at most. An import that breaks off has stored nothing that is seen; asked for again, it does not upload again what has arrived.")]
pub(crate) struct ImportArguments {
    /// A folder that `acai export` has made
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) at: Coordinator,
}
