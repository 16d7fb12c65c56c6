//! The command `acai`.

mod access;
mod args;
mod blobs_place;
mod client;
mod commands;
mod download;
mod failure;
mod format;
mod grid;
mod log;
mod output;
mod points_file;
mod signals;
mod sorting;
mod sparkline;
mod speed;

use std::process::ExitCode;

use clap::Parser;

use args::Arguments;
use failure::Failure;
use output::Output;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new();
    match run(arguments, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                output.note(&message);
            }
            failure.exit_code().into()
        }
    }
}

fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(anyhow::Error::from)?;
    let outcome = runtime.block_on(commands::run(arguments, &output));
    // A second Ctrl-C, or a thread that reads a file, must not keep the process.
    runtime.shutdown_background();
    outcome
}
