//! Why a checkpoint could not be written or is refused.

use std::io;
use std::path::PathBuf;

use crate::VERSION;

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
    /// The file is whole, but of another version of this program, most likely a later one.
    #[error(
        "checkpoint `{path}` is of another version of acai-trainer, and {VERSION} cannot read it: {what}; \
         update acai-trainer on this machine"
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// What this version does not know.
        what: String,
    },
    /// The file is of the days before the first release.
    #[error(
        "checkpoint `{path}` has format {found}, which no released version of acai-trainer had: go on with the build \
         that wrote it, or train the run anew in another folder"
    )]
    Unreleased {
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
    /// Whether the file itself is to blame: it will be of no use to this run elsewhere or later either. What this version
    /// cannot read, another can.
    #[must_use]
    pub fn is_of_the_file(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Foreign { .. } | Self::OtherRun { .. } => true,
            Self::Write { .. } | Self::Read { .. } | Self::OtherVersion { .. } | Self::Unreleased { .. } => {
                false
            }
        }
    }
}
