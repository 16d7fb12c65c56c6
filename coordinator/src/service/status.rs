//! Each error of the store is one gRPC status.

use tonic::{Code, Status};

use acai_sweep::spelling::{did_you_mean, quoted};

use crate::store::{Store, StoreError};

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
pub(super) fn status(error: StoreError) -> Status {
    let code = match &error {
        StoreError::Fenced(_) => Code::FailedPrecondition,
        StoreError::UnknownWorker(_) => Code::NotFound,
        StoreError::Conflict(_) | StoreError::NoSuchEvent { .. } => Code::OutOfRange,
        StoreError::Unstorable(_) => Code::InvalidArgument,
        StoreError::NoSuchRun { .. } => Code::NotFound,
        StoreError::Collision(_) => Code::Unavailable,
        StoreError::Full => Code::ResourceExhausted,
        StoreError::Corrupt(_) | StoreError::OtherVersion(_) => Code::DataLoss,
        StoreError::Unavailable(_) => Code::Unavailable,
    };
    if matches!(error, StoreError::Unstorable(_))
        || matches!(code, Code::DataLoss | Code::Unavailable | Code::ResourceExhausted)
    {
        tracing::error!(%error, "a request failed");
    }
    Status::new(code, error.to_string())
}

/// NOT_FOUND with the nearest sweep's name.
pub(super) async fn no_such_sweep(store: &dyn Store, name: &str) -> Status {
    let known = match store.sweep_list().await {
        Ok(known) => known,
        Err(error) => return status(error),
    };
    let hint = match did_you_mean(name, known.iter().map(|sweep| sweep.name.as_str())) {
        Some(hint) => hint,
        None if known.is_empty() => "no sweep has been submitted yet".to_owned(),
        None => "`acai ls` lists the sweeps".to_owned(),
    };
    Status::not_found(format!("there is no sweep {}\nhint: {hint}", quoted(name)))
}
