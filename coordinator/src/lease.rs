//! Terms of leases, and the task that ends those which ran out.

use std::sync::Arc;
use std::time::Duration;

use crate::store::Store;

/// How long a worker may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// A lease ends this long after its last renewal.
    pub lease_ms: u32,
    /// Workers renew this often; a third of the lease, so that two renewals may get lost.
    pub renew_ms: u32,
}

impl Default for LeaseTerms {
    fn default() -> Self {
        LeaseTerms { lease_ms: 30_000, renew_ms: 10_000 }
    }
}

/// Queues the runs of workers that fell silent, until dropped.
pub(crate) async fn expire_leases(store: Arc<dyn Store>, terms: LeaseTerms) {
    let mut ticks = tokio::time::interval(Duration::from_millis(u64::from(terms.renew_ms / 2).max(50)));
    loop {
        ticks.tick().await;
        match store.lease_expire().await {
            Ok(lost) => {
                for attempt in lost {
                    tracing::warn!(
                        run = attempt.run,
                        attempt = attempt.number,
                        "lease ended, run taken back"
                    );
                }
            }
            Err(error) => tracing::error!(%error, "cannot look for ended leases"),
        }
    }
}
