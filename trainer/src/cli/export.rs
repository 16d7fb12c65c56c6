//! `acai-trainer export`: weights for others.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::slice;

use acai_trainer::checkpoint;
use clap::Args;

use super::output_file;

/// Write what a checkpoint's model has learnt as a plain safetensors file
///
/// Tensors have PyTorch's shapes (a convolution's weight is [out, in, height, width]) and the names that
/// docs/export.md lists with the layers they belong to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  acai-trainer export lines/checkpoint-000001536.safetensors -o acai.safetensors
  python3 -c 'from safetensors.torch import load_file; print(load_file(\"acai.safetensors\").keys())'")]
pub(super) struct Export {
    /// A checkpoint that `acai-trainer train` or a worker wrote
    checkpoint: PathBuf,
    /// File to write; one of that name is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Export {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Export { checkpoint, output } = self;
        output_file::check(&output, slice::from_ref(&checkpoint))?;
        checkpoint::export(&checkpoint, &output)?;
        writeln!(io::stderr(), "wrote {}", output.display())?;
        Ok(ExitCode::SUCCESS)
    }
}
