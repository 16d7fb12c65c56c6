//! Each error of the store is one gRPC status.

use tonic::{Code, Status};

use crate::store::StoreError;

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
pub(super) fn status(error: StoreError) -> Status {
    let code = match &error {
        StoreError::Fenced(_) => Code::FailedPrecondition,
        StoreError::UnknownWorker(_) => Code::NotFound,
        StoreError::Conflict(_) => Code::OutOfRange,
        StoreError::Full => Code::ResourceExhausted,
        StoreError::Corrupt(_) => Code::DataLoss,
        StoreError::Unavailable(_) => Code::Unavailable,
    };
    if matches!(code, Code::DataLoss | Code::Unavailable | Code::ResourceExhausted) {
        tracing::error!(%error, "a request failed");
    }
    Status::new(code, error.to_string())
}
