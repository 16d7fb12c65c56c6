//! Disk work off the threads that serve.

use super::{BlobError, Result};

/// Runs `work` to its end, whether or not somebody still waits for it.
pub(super) async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    let broken = |cause: tokio::task::JoinError| BlobError::Failed {
        doing: "finish work on the disk",
        cause: cause.to_string(),
    };
    acai_blocking::blocking(work).await.map_err(broken)?
}
