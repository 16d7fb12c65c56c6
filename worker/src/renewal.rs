//! Keeping the leases, independent of how much there is to report.

use std::convert::Infallible;

use acai_proto::v1::RenewRequest;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::backoff::Backoff;
use crate::coordinator::Coordinator;
use crate::leases::Leases;

/// Renews all leases whenever it is time and gives up those that could not be renewed; for as long
/// as it is polled. `coordinator` should be a connection of its own, which no report can hold up.
pub(crate) async fn keep(leases: &Leases, coordinator: &Coordinator, worker_id: &str) -> Infallible {
    tokio::select! {
        never = renew(leases, coordinator, worker_id) => never,
        never = expire(leases) => never,
    }
}

async fn renew(leases: &Leases, coordinator: &Coordinator, worker_id: &str) -> Infallible {
    let mut backoff = Backoff::default();
    loop {
        sleep(leases.terms().renew_every).await;
        loop {
            let attempts = leases.attempts();
            if attempts.is_empty() {
                break;
            }
            let sent = Instant::now();
            let request = RenewRequest { worker_id: worker_id.to_owned(), attempts: attempts.clone() };
            match coordinator.renew(request).await {
                Ok(answer) => {
                    leases.renewed(&attempts, sent, &answer);
                    backoff.reset();
                    break;
                }
                Err(error) => {
                    tracing::warn!("cannot renew {} leases: {error}", attempts.len());
                    backoff.pause().await;
                }
            }
        }
    }
}

async fn expire(leases: &Leases) -> Infallible {
    // A twentieth of a term is exact enough for something that only saves device time.
    let mut tick = interval(leases.terms().term / 20);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        leases.expire(Instant::now());
    }
}
