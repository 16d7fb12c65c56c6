//! Why a checkpoint could not be written or is refused.

use std::io;
use std::path::PathBuf;

use super::header::FORMAT;

/// What went wrong with a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be written.
    #[error("cannot write checkpoint `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be read.
    #[error("cannot read checkpoint `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is a checkpoint no longer: cut short or changed.
    #[error("checkpoint `{path}` is damaged: {what}; resume from an older one")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How that shows.
        what: String,
    },
    /// The file is no checkpoint of this program.
    #[error("`{path}` is no checkpoint of this program: {what}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that shows.
        what: String,
    },
    /// Another version of this program wrote the file.
    #[error(
        "checkpoint `{path}` has format {found}, and this trainer reads format {FORMAT}; \
         use the trainer that wrote it"
    )]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// The file belongs to another run.
    #[error("checkpoint `{path}` is of another run: {difference}")]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
}

impl CheckpointError {
    /// Whether the file itself is to blame: it will be of no use elsewhere or later either.
    #[must_use]
    pub fn is_of_the_file(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Foreign { .. } | Self::OtherRun { .. } => true,
            Self::Write { .. } | Self::Read { .. } | Self::OtherFormat { .. } => false,
        }
    }
}
