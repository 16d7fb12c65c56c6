//! How long a transfer may stand still.

use std::time::Duration;

use tokio::time::timeout;

use crate::client::call_error::CallError;

/// A transfer in which nothing moves for this long is begun again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes per second that get through at least.
const SLOWEST: u64 = 100_000;

/// Waits for one step of a transfer.
pub(super) async fn in_time<T>(step: impl Future<Output = T>) -> Result<T, CallError> {
    timeout(PATIENCE, step).await.map_err(|_| silent())
}

/// Waits for a transfer of `bytes` bytes.
pub(super) async fn in_time_for<T>(bytes: u64, transfer: impl Future<Output = T>) -> Result<T, CallError> {
    timeout(PATIENCE + Duration::from_secs(bytes / SLOWEST), transfer).await.map_err(|_| silent())
}

fn silent() -> CallError {
    CallError::Unavailable("nothing came for too long".to_owned())
}
