//! The command `acai`.

mod args;
mod client;
mod commands;
mod failure;
mod format;
mod log;
mod output;
mod signals;

use std::process::ExitCode;

use clap::Parser;

use args::Arguments;
use failure::Failure;
use output::Output;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.failure(&Failure::from(anyhow::Error::from(error))),
    };
    let outcome = runtime.block_on(commands::run(arguments, &output));
    // A second Ctrl-C, or a thread that reads a file, must not keep the process.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.failure(&failure),
    }
}
