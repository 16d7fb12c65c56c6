//! Commands about datasets.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const DATA_EXAMPLES: &str = "\
Examples:
  acai data ls                          every dataset, where it is expected, whether it is there
  acai data fetch mnist32               from its publisher, with resume and checksum
  acai data fetch mnist32 --mirror http://mirror.example/acai
  acai data check images:faces          reads every picture of the folder DIR/faces";

#[derive(Debug, Args)]
#[command(after_help = DATA_EXAMPLES)]
pub(crate) struct DataArguments {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// List the datasets
    #[command(after_help = "\
Examples:
  acai data ls                 every dataset, where it is expected, whether it is there
  acai data ls --data /data    in another data folder")]
    Ls {
        #[command(flatten)]
        folder: DataFolder,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Read all of a dataset; say what is wrong with it
    #[command(after_help = "\
Examples:
  acai data check digits32        one that needs no files
  acai data check images:faces    every picture of the folder DIR/faces")]
    Check {
        /// A dataset's name, or images:PATH, curve:PATH or text:PATH
        dataset: String,
        #[command(flatten)]
        folder: DataFolder,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download a dataset; again to go on after an interruption
    #[command(after_help = "\
Examples:
  acai data fetch mnist32    from its publisher, with resume and checksum
  acai data fetch mnist32 --mirror http://mirror.example/acai")]
    Fetch {
        /// A dataset's name
        dataset: String,
        #[command(flatten)]
        folder: DataFolder,
        /// Take files from URL/PATH instead, PATH being where they belong below the data folder
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DataFolder {
    /// The data folder
    #[arg(long, value_name = "DIR", env = "ACAI_DATA", default_value = "data")]
    pub(crate) data: PathBuf,
}
