//! How a service is watched.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

/// How a service is watched.
#[derive(Debug, Clone, Args)]
pub(crate) struct ObservingArguments {
    /// Tell metrics for Prometheus (/metrics), and whether the program lives (/livez) and does its work (/readyz), at this
    /// address, to everybody who reaches it
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
    /// How the log is written
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// A JSON object a line
    Json,
}
