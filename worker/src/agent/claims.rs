//! Claims groups of runs, and runs that join a group, through outages.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use acai_proto::v1::{self, ClaimRequest, ClaimResponse};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::registrar::Registrar;
use crate::attempt::Context;
use crate::backoff::Backoff;
use crate::client::{CallError, Rejection};
use crate::error::WorkerError;

/// How long a claim under way is waited for when the worker is told to stop, so that the runs that it grants can be
/// given back at once.
pub(super) const LAST_CLAIM: Duration = Duration::from_secs(2);

/// What a claim is for.
#[derive(Debug, Clone)]
pub(super) enum Room {
    /// So many groups, each of up to so many runs.
    Groups(u32, u32),
    /// Runs that join a group.
    Places(v1::Vacancy),
}

/// The claims of one worker.
pub(super) struct Claims {
    context: Arc<Context>,
    registrar: Arc<Registrar>,
    /// How many there were; the last one's number.
    count: u64,
}

/// The answer to a claim.
pub(super) struct Grant {
    /// When the call was sent that was answered; the leases of the granted runs count from then.
    pub(super) sent: Instant,
    pub(super) answer: ClaimResponse,
}

impl Claims {
    pub(super) fn new(context: Arc<Context>, registrar: Arc<Registrar>) -> Self {
        Self { context, registrar, count: 0 }
    }

    /// Claims runs for `room`. None when the worker is told to stop, or has been idle for too long, which it is
    /// from `idle_at` on, and the claim is not answered.
    pub(super) async fn next(
        &mut self,
        room: Room,
        idle_at: Option<Instant>,
    ) -> Result<Option<Grant>, WorkerError> {
        self.count += 1;
        let mut claiming = pin!(self.claim(self.request(room), idle_at));
        tokio::select! {
            grant = &mut claiming => grant,
            _ = self.context.stop.asked() => timeout(LAST_CLAIM, claiming).await.unwrap_or(Ok(None)),
        }
    }

    fn request(&self, room: Room) -> ClaimRequest {
        let (groups, group_size, vacancy) = match room {
            Room::Groups(groups, size) => (groups, size, None),
            // Of no groups, so that a coordinator that knows no vacancies grants nothing.
            Room::Places(vacancy) => (0, 1, Some(vacancy)),
        };
        ClaimRequest {
            worker_id: self.registrar.worker_id().to_owned(),
            claim_id: Uuid::new_v4().to_string(),
            number: self.count,
            groups,
            group_size,
            rest: Some(self.context.leases.resting()),
            vacancy,
        }
    }

    /// Sends a claim until it is answered. A repeated call carries the same claim id, so that a grant whose answer got
    /// lost is not lost with it. None when the worker is idle and has tried for the term of a lease: by then a grant of
    /// which the worker never heard has lapsed.
    async fn claim(
        &self,
        request: ClaimRequest,
        idle_at: Option<Instant>,
    ) -> Result<Option<Grant>, WorkerError> {
        let first_sent = Instant::now();
        let mut backoff = Backoff::default();
        // Whether the last answer was a refusal too, and the worker has registered since: a coordinator that refuses
        // again will not have this worker. After an outage in between, it may have forgotten the worker once more.
        let mut was_refused = false;
        loop {
            let sent = Instant::now();
            match self.context.coordinator.claim(request.clone()).await {
                Ok(answer) => {
                    self.context.leases.told_terms(answer.lease_ms, answer.renew_ms);
                    return Ok(Some(Grant { sent, answer }));
                }
                // The damage is of a run that other workers may be given, or that people repair, which is no reason to
                // end this worker.
                Err(CallError::Rejected(damaged @ Rejection::Damaged(_))) => {
                    tracing::error!("the coordinator cannot grant a claim: {damaged}");
                    was_refused = false;
                    backoff.pause().await;
                }
                Err(CallError::Rejected(rejection)) if was_refused => {
                    return Err(self.registrar.refused(&rejection));
                }
                Err(CallError::Rejected(rejection)) => {
                    tracing::info!("registering again: {rejection}");
                    was_refused = true;
                }
                Err(CallError::Unavailable(reason) | CallError::Denied(reason)) => {
                    tracing::warn!("the coordinator does not answer ({reason}); waiting for it");
                    was_refused = false;
                    backoff.pause().await;
                }
            }
            // A coordinator that was away, or refused, may not know this worker any more.
            match self.registrar.register_again().await? {
                Some(terms) => self.context.leases.set_terms(terms),
                None => was_refused = false,
            }
            let is_idle = idle_at.is_some_and(|idle_at| Instant::now() >= idle_at);
            if is_idle && first_sent.elapsed() >= self.context.leases.terms().term {
                return Ok(None);
            }
        }
    }
}
