//! How long the server may keep a coordinator waiting.

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;

use crate::store::{Result, StoreError};

/// How long a coordinator waits for its server, which may vanish without an error: its machine loses power, or a
/// network drops what is sent. After that the connection is given up, and the next call has another one.
///
/// The server's own limits on statements and locks are shorter. So while the server can be reached they come first,
/// with errors that say more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The time until a new connection can be used.
    pub connect: Duration,
    /// The time for a read, or for a renewal of leases: a few short statements.
    pub short: Duration,
    /// The time for a transaction that writes: the submission of the largest sweep has hundreds of statements.
    pub transaction: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect: Duration::from_secs(5),
            short: Duration::from_secs(15),
            transaction: Duration::from_secs(60),
        }
    }
}

/// The limit of what is done on one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit(pub(super) Duration);

impl Limit {
    /// The answer of `work`, or an error if there is none in time. After such an error the connection must not be used
    /// again, since the answer may still be under way on it.
    pub(super) async fn keep<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        timeout(self.0, work).await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable(format!("it did not answer within {:?}", self.0)))
        })
    }
}
