//! What a failed call means to a worker.

use acai_proto::SIGNATURE;
use tonic::{Code, Status};

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The coordinator answered, and repeating the call would not help.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The coordinator does not take the worker's token, or does not take it any more. Until somebody gives the worker
    /// another one, that is as if nobody answered.
    #[error("{0}")]
    Denied(String),
    /// Nobody answered, or not in time, or the call cannot be served now: repeating the call may help.
    #[error("{0}")]
    Unavailable(String),
}

/// A coordinator's refusal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejection {
    /// The attempt no longer holds its run.
    #[error("{0}")]
    Fenced(String),
    /// The coordinator's database is damaged where the call needs it.
    #[error("the coordinator's database is damaged: {0}")]
    Damaged(String),
    /// Any other reason.
    #[error("{0}")]
    Refused(String),
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        let message = describe(&status);
        match status.code() {
            // The answer is from a proxy on the way, or from a web server at this address: either knows nothing of
            // runs, and may be gone by the next time.
            _ if !is_signed(&status) => Self::Unavailable(message),
            Code::FailedPrecondition => Self::Rejected(Rejection::Fenced(message)),
            Code::DataLoss => Self::Rejected(Rejection::Damaged(message)),
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::OutOfRange
            | Code::Unimplemented => Self::Rejected(Rejection::Refused(message)),
            Code::PermissionDenied | Code::Unauthenticated => Self::Denied(message),
            // `Cancelled` is how tonic reports a call past its deadline; `Internal` and `Unknown` are
            // broken connections, or a store that may recover.
            _ => Self::Unavailable(message),
        }
    }
}

/// Whether the answer is a coordinator's own.
pub(super) fn is_signed(status: &Status) -> bool {
    status.metadata().contains_key(SIGNATURE)
}

/// The coordinator's own words where it answered, the innermost cause where the transport failed.
fn describe(status: &Status) -> String {
    let cause = std::error::Error::source(status);
    let reason = cause.map_or_else(|| status.message().to_owned(), acai_access::root_cause);
    if reason.is_empty() { status.code().to_string() } else { reason }
}
