//! Each error of the store and of a use case is one gRPC status.

use tonic::{Code, Status};

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
        StoreError::Full => Code::ResourceExhausted,
        StoreError::Corrupt(_) | StoreError::OtherVersion(_) => Code::DataLoss,
        StoreError::Unavailable(_) | StoreError::Unflushed(_) => Code::Unavailable,
    };
    if matches!(error, StoreError::Unstorable(_))
        || matches!(code, Code::DataLoss | Code::Unavailable | Code::ResourceExhausted)
    {
        tracing::error!(%error, "a request failed");
    }
    Status::new(code, error.to_string())
}

impl From<UseCaseError> for Status {
    fn from(error: UseCaseError) -> Self {
        let message = error.to_string();
        match error {
            UseCaseError::Store(error) => status(error),
            UseCaseError::Mistakes(_) | UseCaseError::Question { .. } => Status::invalid_argument(message),
            UseCaseError::StoredMistakes(_) => Status::data_loss(message),
            UseCaseError::NoSuchSweep { .. }
            | UseCaseError::NoSuchRun { .. }
            | UseCaseError::NoSuchWorker { .. } => Status::not_found(message),
            UseCaseError::WouldSetAside { .. } => Status::failed_precondition(message),
        }
    }
}
