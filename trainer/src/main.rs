//! The program `acai-trainer`; see the library for what it does.

mod cli;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cli::Arguments::parse().run().unwrap_or_else(|error| {
        // Nothing is left to be told if standard error is closed.
        let _ = writeln!(std::io::stderr(), "error: {error:#}");
        ExitCode::FAILURE
    })
}
