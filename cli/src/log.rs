//! Logs of long-running commands. `RUST_LOG` chooses what is logged.
//!
//! A line that cannot be written, because whoever read the log has ended or the disk is full, is lost: the subscriber's own
//! word on that would go to standard error too, and end the task that logs where that is broken (`log_internal_errors`).

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

fn filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"))
}

/// To standard error: services, whose log is all they print.
pub(crate) fn to_stderr(format: LogFormat) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    match format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// To the end of a file, made for its user alone: commands that draw progress.
pub(crate) fn to_file(path: &Path) -> anyhow::Result<()> {
    let file = File::options().create(true).append(true).mode(0o600).open(path);
    let file = file.with_context(|| format!("cannot write the log `{}`", path.display()))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .log_internal_errors(false)
        .init();
    Ok(())
}
