use std::path::PathBuf;

/// A checkpoint's file on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Optimizer steps done.
    pub(crate) step: u64,
    pub(crate) file: PathBuf,
}
