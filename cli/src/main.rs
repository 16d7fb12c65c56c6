//! The command `acai`.

mod access;
mod args;
mod blobs_place;
mod client;
mod commands;
mod disk;
mod download;
mod failure;
mod format;
mod grid;
mod log;
mod observing;
mod output;
mod points_file;
mod settings;
mod signals;
mod sorting;
mod sparkline;
mod speed;
mod upload;
mod user_folder;

use std::process::ExitCode;

use clap::FromArgMatches;

use args::{Arguments, environment};
use failure::Failure;
use output::Output;
use settings::Settings;

fn main() -> ExitCode {
    commands::answer_shell();
    let output = Output::new();
    match arguments().and_then(|arguments| run(arguments, output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                output.note(&message);
            }
            failure.exit_code().into()
        }
    }
}

/// The command line, completed by the user's settings. Ends the process where that asks for help, or is none.
fn arguments() -> Result<Arguments, Failure> {
    let settings = Settings::read();
    let command = match &settings {
        Ok(settings) => settings.as_defaults_of(environment::command()),
        Err(_) => environment::command(),
    };
    let arguments = Arguments::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    settings?;
    Ok(arguments)
}

fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(anyhow::Error::from)?;
    let outcome = runtime.block_on(commands::run(arguments, &output));
    // A second Ctrl-C, or a thread that reads a file, must not keep the process.
    runtime.shutdown_background();
    outcome
}
