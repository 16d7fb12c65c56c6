//! Terms of leases, and the task that ends those which ran out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::metrics::Metrics;
use crate::run_name::run_name;
use crate::store::{AttemptRef, Result, Store};

/// How long a worker may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// A lease ends this long after its last renewal.
    pub lease_ms: u32,
    /// Workers renew this often; a third of the lease, so that two renewals may get lost.
    pub renew_ms: u32,
}

impl LeaseTerms {
    /// A coordinator that has written nothing for so long is not ready. The store is tried twice between two renewals, so one try may
    /// fail. Of several coordinators the one that has lost the database is left out then while its workers can still renew at another
    /// one: with the usual terms the call of a worker waits for as long as there is between two renewals, and a lease is three times
    /// as long.
    #[must_use]
    pub fn readiness(self) -> Duration {
        Duration::from_millis(u64::from(self.renew_ms)) * 5 / 4
    }
}

impl Default for LeaseTerms {
    fn default() -> Self {
        LeaseTerms { lease_ms: 30_000, renew_ms: 10_000 }
    }
}

/// Queues the runs of workers that fell silent, until dropped.
pub(crate) async fn expire_leases(store: Arc<dyn Store>, terms: LeaseTerms, metrics: Metrics) {
    let mut ticks = tokio::time::interval(Duration::from_millis(u64::from(terms.renew_ms / 2).max(50)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut outages = Outages::new(terms, Instant::now());
    loop {
        ticks.tick().await;
        match expire(&*store, &mut outages, &metrics).await {
            Ok(lost) => {
                metrics.leases_expired.inc_by(lost.len() as u64);
                for attempt in lost {
                    let run = run_name(&*store, attempt.run).await;
                    tracing::warn!(
                        %run,
                        id = %attempt.run,
                        attempt = attempt.number,
                        "lease ended, run taken back"
                    );
                }
            }
            Err(error) => tracing::error!(%error, "cannot look for ended leases"),
        }
    }
}

async fn expire(store: &dyn Store, outages: &mut Outages, metrics: &Metrics) -> Result<Vec<AttemptRef>> {
    // Nothing that ends after this may be ended: whether it is renewed in time is not known yet.
    let begun = Instant::now();
    let written_ms = store.probe().await?;
    metrics.committed(begun.elapsed());
    if !outages.written(Instant::now()) {
        return Ok(Vec::new());
    }
    store.lease_expire(written_ms).await
}

/// When the store took no writes, so that workers could not renew: nobody is charged for that.
#[derive(Debug)]
struct Outages {
    /// A gap as long as this between two writes is an outage: a renewal may have fallen into it …
    gap: Duration,
    /// … and after it every worker has a term to be heard.
    term: Duration,
    last: Instant,
    over: Option<Instant>,
}

impl Outages {
    fn new(terms: LeaseTerms, now: Instant) -> Outages {
        let ms = |ms| Duration::from_millis(u64::from(ms));
        Outages { gap: ms(terms.renew_ms), term: ms(terms.lease_ms), last: now, over: None }
    }

    /// The store has just taken a write. Whether leases that have ended may be taken.
    fn written(&mut self, now: Instant) -> bool {
        if now.duration_since(self.last) > self.gap {
            tracing::warn!(
                "the database took no writes for {:?}: no lease ends for another {:?}",
                now.duration_since(self.last),
                self.term
            );
            self.over = Some(now);
        }
        self.last = now;
        self.over.is_none_or(|over| now.duration_since(over) >= self.term)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: LeaseTerms = LeaseTerms { lease_ms: 30_000, renew_ms: 10_000 };

    #[test]
    fn a_worker_whose_coordinator_lost_the_database_can_renew_at_another_one_before_its_leases_end() {
        // The last renewal, at 0, came through. The next one waits for the deadline of a call, which is 10 s.
        let [renew, lease, call] =
            [TERMS.renew_ms, TERMS.lease_ms, 10_000].map(|ms| Duration::from_millis(ms.into()));
        let is_given_up = renew + call;
        // What balances load asks every two seconds.
        assert!(TERMS.readiness() + Duration::from_secs(2) < is_given_up && is_given_up < lease);
        // One failed try does not make a coordinator unready.
        assert!(TERMS.readiness() > renew);
    }

    #[test]
    fn leases_end_while_the_database_takes_writes_and_not_for_a_term_after_it_took_none() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut outages = Outages::new(TERMS, start);
        for second in [0, 5, 10, 20] {
            assert!(outages.written(at(second)), "second {second}");
        }
        // Away for 11 s: a renewal may have come too late for that.
        for second in [31, 36, 41, 46, 51, 56] {
            assert!(!outages.written(at(second)), "second {second}");
        }
        assert!(outages.written(at(61)));
        // Away once more before the term is over.
        assert!(!outages.written(at(80)));
        for second in [85, 90, 95, 100, 105] {
            assert!(!outages.written(at(second)), "second {second}");
        }
        assert!(outages.written(at(110)));
    }
}
