//! How long a transfer may stand still.

use std::time::Duration;

use tokio::time::timeout;

use super::Blobs;
use crate::client::call_error::CallError;

/// A transfer in which nothing moves for this long is begun again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes per second that get through at least.
const SLOWEST: u64 = 100_000;

impl Blobs {
    /// Waits for one step of a transfer. Where that takes too long the next try has another connection: this one may lead nowhere.
    pub(super) async fn in_time<T>(&self, step: impl Future<Output = T>) -> Result<T, CallError> {
        self.within(PATIENCE, step).await
    }

    /// As [`in_time`](Self::in_time), for a transfer of `bytes` bytes.
    pub(super) async fn in_time_for<T>(
        &self,
        bytes: u64,
        transfer: impl Future<Output = T>,
    ) -> Result<T, CallError> {
        self.within(PATIENCE + Duration::from_secs(bytes / SLOWEST), transfer).await
    }

    async fn within<T>(&self, patience: Duration, step: impl Future<Output = T>) -> Result<T, CallError> {
        timeout(patience, step).await.map_err(|_| {
            self.connection.leave_current();
            CallError::Unavailable("nothing came for too long".to_owned())
        })
    }
}
