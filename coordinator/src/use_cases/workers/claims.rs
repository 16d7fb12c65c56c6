//! A worker comes, asks for work, keeps its leases and goes.

use std::time::Instant;

use super::WorkerCalls;
use crate::store::{AttemptRef, Claim, Grant, Registration, Renewal, Rest};
use crate::use_cases::Result;

/// The answer to a claim.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Runs that the worker holds from now on.
    pub grants: Vec<Grant>,
    /// How long the worker waits before it asks again, in milliseconds.
    pub retry_after_ms: u32,
}

impl WorkerCalls {
    /// Notes a worker, or what it says of itself now. Answers which database this is.
    ///
    /// # Errors
    /// The store's.
    pub async fn register(&self, worker: Registration) -> Result<String> {
        tracing::info!(worker = worker.name, id = worker.id, slots = worker.slots, "worker registered");
        Ok(self.store.worker_register(worker).await?)
    }

    /// Notes that a worker ends: it is granted nothing any more.
    ///
    /// # Errors
    /// The store's.
    pub async fn leave(&self, worker: &str) -> Result<()> {
        self.store.worker_leave(worker).await?;
        tracing::info!(worker, "worker ended");
        Ok(())
    }

    /// Grants runs to a worker, and notes what it says of its slots that rest.
    ///
    /// # Errors
    /// The store's: among them, that the worker never registered.
    pub async fn claim(&self, claim: Claim, rest: Option<Rest>) -> Result<Claimed> {
        let worker = claim.worker.clone();
        if let Some(rest) = rest {
            self.store.worker_set_rest(&worker, rest).await?;
        }
        let grants = self.store.run_claim(claim, self.terms.lease_ms.into()).await?;
        for Grant { attempt, sweep, number, waited_ms, .. } in &grants {
            if let Some(ms) = *waited_ms {
                self.metrics.claim_wait_seconds.observe(ms.max(0) as f64 / 1000.0);
            }
            let run = format!("{sweep}/{number}");
            tracing::info!(%run, id = %attempt.run, attempt = attempt.number, worker, "run granted");
        }
        if grants.is_empty() {
            let wait = self.idle.wait(&worker, Instant::now(), rand::random_range(0.0..1.0));
            let retry_after_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
            return Ok(Claimed { grants, retry_after_ms });
        }
        self.idle.ends(&worker);
        Ok(Claimed { grants, retry_after_ms: 0 })
    }

    /// Renews the leases of attempts, and notes what the worker says of its slots that rest.
    ///
    /// # Errors
    /// The store's.
    pub async fn renew(
        &self,
        worker: &str,
        attempts: Vec<AttemptRef>,
        rest: Option<Rest>,
    ) -> Result<Renewal> {
        let renewal = self.store.lease_renew(worker, attempts, self.terms.lease_ms.into()).await?;
        self.metrics.wrote();
        // After the leases, which have connections of their own: this may have to wait for others' writes.
        if let Some(rest) = rest {
            self.store.worker_set_rest(worker, rest).await?;
        }
        Ok(renewal)
    }
}
