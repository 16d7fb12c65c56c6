//! Why a transfer failed: one try of it, or all tries together.

use std::io;
use std::path::PathBuf;

use tonic::{Code, Status};

use crate::client::call_error::{CallError, Rejection, is_signed};

/// Why a checkpoint did not get to the other side.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferError {
    /// The attempt no longer holds its run, or the coordinator does not want the blob.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The file on this machine cannot be read or written.
    #[error("`{}`: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
    /// The coordinator has no room for the checkpoint, or will not have it.
    #[error("{0}")]
    Unwanted(String),
    /// The coordinator cannot read or keep the checkpoint until somebody repairs the place where it keeps checkpoints.
    #[error("the coordinator's store of checkpoints needs repair: {0}")]
    Broken(String),
    /// The bytes that arrived, twice, are other ones than those that were asked for.
    #[error("it arrived damaged")]
    Damaged,
}

/// Why one try failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum TryError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("{0}")]
    Unwanted(String),
    #[error("{0}")]
    Broken(String),
}

impl From<Status> for TryError {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::DataLoss if is_signed(&status) => Self::Broken(status.message().to_owned()),
            _ => Self::Call(status.into()),
        }
    }
}
