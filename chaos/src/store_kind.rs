//! Which store a session is about.

/// Where sweeps, runs and metrics are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StoreKind {
    /// One coordinator on a file.
    Sqlite,
    /// Two coordinators on a private server.
    Postgres,
}
