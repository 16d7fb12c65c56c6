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
    /// Waits for one step of a transfer over the connection of this number. Where that takes too long the next try has another
    /// connection: this one may lead nowhere.
    pub(super) async fn in_time<T>(
        &self,
        connection: u64,
        step: impl Future<Output = T>,
    ) -> Result<T, CallError> {
        self.within(PATIENCE, connection, step).await
    }

    /// As [`in_time`](Self::in_time), for what the other side does with `bytes` bytes that it has: it may bring them to a bucket.
    pub(super) async fn in_time_for<T>(
        &self,
        bytes: u64,
        connection: u64,
        step: impl Future<Output = T>,
    ) -> Result<T, CallError> {
        self.within(PATIENCE + Duration::from_secs(bytes / SLOWEST), connection, step).await
    }

    async fn within<T>(
        &self,
        patience: Duration,
        connection: u64,
        step: impl Future<Output = T>,
    ) -> Result<T, CallError> {
        timeout(patience, step).await.map_err(|_| {
            self.connection.leave(connection);
            CallError::Unavailable("nothing came for too long".to_owned())
        })
    }
}
