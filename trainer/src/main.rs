//! The program `acai-trainer`; see the library for what it does.

mod cli;

use std::io::Write;
use std::process::ExitCode;

use acai_trainer::session::catching;

fn main() -> ExitCode {
    let arguments = cli::Arguments::read();
    let ended = catching(|| Ok(arguments.run()));
    ended.map_err(Into::into).flatten().unwrap_or_else(|error| {
        // Nothing is left to be told if standard error is closed.
        let _ = writeln!(std::io::stderr(), "error: {error:#}");
        ExitCode::FAILURE
    })
}
