//! Each error of the store, of blobs and of a use case is one gRPC status.

use tonic::{Code, Status};

use crate::blobs::BlobError;
use crate::store::StoreError;
use crate::use_cases::UseCaseError;

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
pub(super) fn status(error: StoreError) -> Status {
    let code = match &error {
        StoreError::Fenced(_) => Code::FailedPrecondition,
        StoreError::UnknownWorker(_) => Code::NotFound,
        StoreError::Conflict(_) | StoreError::NoSuchEvent { .. } | StoreError::OtherEvent(_) => {
            Code::OutOfRange
        }
        StoreError::Unstorable(_) => Code::InvalidArgument,
        StoreError::NoSuchRun { .. } => Code::NotFound,
        StoreError::OnlyRead(_) => Code::FailedPrecondition,
        StoreError::Collision(_) => Code::Unavailable,
        StoreError::Full | StoreError::OverLimit(_) => Code::ResourceExhausted,
        StoreError::Corrupt(_) | StoreError::OtherVersion(_) => Code::DataLoss,
        StoreError::Unavailable(_) | StoreError::Unflushed(_) => Code::Unavailable,
    };
    if matches!(error, StoreError::Unstorable(_) | StoreError::Full)
        || matches!(code, Code::DataLoss | Code::Unavailable)
    {
        tracing::error!(%error, "a request failed");
    }
    Status::new(code, error.to_string())
}

/// Each error of blobs is one gRPC status.
#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
pub(super) fn blob_status(error: BlobError) -> Status {
    let code = match &error {
        BlobError::Missing(_) => Code::NotFound,
        BlobError::Offset { .. } => Code::OutOfRange,
        BlobError::Mismatch(_) => Code::InvalidArgument,
        BlobError::Full => Code::ResourceExhausted,
        BlobError::Broken { .. } => Code::DataLoss,
        // This coordinator can serve it: a worker that went to another one would begin there from the first byte.
        BlobError::Busy => Code::Aborted,
        BlobError::Failed { .. } => Code::Unavailable,
    };
    if matches!(error, BlobError::Full | BlobError::Broken { .. } | BlobError::Failed { .. }) {
        tracing::error!(%error, "a transfer failed");
    }
    Status::new(code, error.to_string())
}

impl From<UseCaseError> for Status {
    fn from(error: UseCaseError) -> Self {
        let message = error.to_string();
        match error {
            UseCaseError::Store(error) => status(error),
            UseCaseError::Blob(error) => blob_status(error),
            UseCaseError::Mistakes(_) | UseCaseError::Question { .. } => Status::invalid_argument(message),
            UseCaseError::SweepIsThere { .. } => Status::already_exists(message),
            UseCaseError::StoredMistakes(_) => Status::data_loss(message),
            UseCaseError::NoSuchSweep { .. }
            | UseCaseError::NoSuchRun { .. }
            | UseCaseError::NoSuchWorker { .. }
            | UseCaseError::NoSuchToken { .. } => Status::not_found(message),
            UseCaseError::ForgottenUpload(_) => Status::aborted(message),
            UseCaseError::BrokenDown(_) | UseCaseError::Show(_) => Status::internal(message),
            UseCaseError::NoSuchCheckpoint { .. } | UseCaseError::BeyondBlob { .. } => {
                Status::out_of_range(message)
            }
            UseCaseError::WouldSetAside { .. }
            | UseCaseError::NoAuthority(_)
            | UseCaseError::NoNextAuthority => Status::failed_precondition(message),
        }
    }
}
