//! The leases that this worker holds.

use std::collections::HashMap;
use std::time::Duration;

use acai_proto::v1::{Attempt, RegisterResponse, RenewResponse, Rest};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use super::terms::Terms;

/// A lease of this worker.
#[derive(Debug, Clone, Copy)]
struct Lease {
    /// When the call was sent whose answer last confirmed the lease: the coordinator's term began no earlier. Only
    /// differences of this machine's monotonic clock count.
    confirmed: Instant,
    /// Whether a trainer still works on the attempt. When none does, all that remains is to report how the attempt
    /// ended. That occupies no device, so the lease is not given up by the clock, and the answers to the attempt's own
    /// last calls decide.
    training: bool,
    /// Whether the coordinator wants the run back.
    yields: bool,
}

/// All leases of this worker. A lease that is lost is no longer here; whoever works for its attempt waits for that with
/// [`Leases::lost`] or [`Leases::any_lost`].
///
/// Safety comes from the coordinator, which refuses fenced attempts. Giving up by the clock only saves device time, and
/// so may be late.
#[derive(Debug)]
pub(crate) struct Leases {
    held: watch::Sender<HashMap<Attempt, Lease>>,
    terms: watch::Sender<Terms>,
    /// Which slots take no runs; the coordinator is told with the renewals.
    resting: watch::Sender<Rest>,
    /// Notified when the next renewal should not wait.
    hurry: Notify,
    /// How long the coordinator may be away before its attempts are given up.
    outage: Duration,
}

impl Leases {
    pub(crate) fn new(terms: Terms, outage: Duration) -> Self {
        Self {
            held: watch::Sender::default(),
            terms: watch::Sender::new(terms),
            resting: watch::Sender::default(),
            hurry: Notify::new(),
            outage,
        }
    }

    pub(crate) fn terms(&self) -> Terms {
        *self.terms.borrow()
    }

    pub(crate) fn set_terms(&self, terms: Terms) {
        self.terms.send_replace(terms);
    }

    /// Takes in the terms that an answer tells: a coordinator that was started again may have others. An answer that
    /// tells none, or terms that make no sense, changes nothing.
    pub(crate) fn told_terms(&self, lease_ms: u32, renew_ms: u32) {
        let told = RegisterResponse { lease_ms, renew_ms, ..RegisterResponse::default() };
        if let Ok(terms) = Terms::try_from(told) {
            self.terms.send_if_modified(|known| std::mem::replace(known, terms) != terms);
        }
    }

    /// Takes up an attempt that was granted in answer to a claim sent at `sent`.
    pub(crate) fn grant(&self, attempt: Attempt, sent: Instant) {
        self.held.send_modify(|held| {
            held.insert(attempt, Lease { confirmed: sent, training: true, yields: false });
        });
    }

    /// Takes up an attempt of an agent that was killed. No trainer works on it any more, and nobody has renewed its
    /// lease since that agent died.
    pub(crate) fn take_up(&self, attempt: Attempt) {
        self.grant(attempt, Instant::now());
        self.settle(attempt);
        self.hurry.notify_one();
    }

    pub(crate) fn resting(&self) -> Rest {
        self.resting.borrow().clone()
    }

    /// Has the coordinator told at once which slots rest, if that has changed.
    pub(crate) fn say_resting(&self, rest: Rest) {
        let is_news = self.resting.send_if_modified(|told| {
            let is_news = *told != rest;
            *told = rest;
            is_news
        });
        if is_news {
            self.hurry.notify_one();
        }
    }

    /// Resolves when the next renewal should be sent.
    pub(crate) async fn renewal_due(&self) {
        let mut changes = self.terms.subscribe();
        loop {
            tokio::select! {
                () = sleep(self.terms().renew_every) => return,
                () = self.hurry.notified() => return,
                // The wait begins again with the new terms. `self` holds the sender, so this is no error.
                _ = changes.changed() => {}
            }
        }
    }

    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        self.held.borrow().keys().copied().collect()
    }

    /// Takes in the answer to a renewal of `attempts` sent at `sent`.
    pub(crate) fn renewed(&self, attempts: &[Attempt], sent: Instant, answer: &RenewResponse) {
        self.told_terms(answer.lease_ms, answer.renew_ms);
        self.held.send_if_modified(|held| {
            let mut asked = false;
            for attempt in attempts {
                let yields = answer.r#yield.contains(attempt);
                held.entry(*attempt).and_modify(|lease| {
                    lease.confirmed = sent;
                    asked |= yields != lease.yields;
                    lease.yields = yields;
                });
            }
            asked | retain(held, |attempt, lease| !(lease.training && answer.fenced.contains(attempt)))
        });
    }

    /// Resolves with those of `attempts` whose runs the coordinator wants back, as soon as there are any.
    pub(crate) async fn any_yielding(&self, attempts: &[Attempt]) -> Vec<Attempt> {
        self.any(attempts, |held, attempt| held.get(attempt).is_some_and(|lease| lease.yields)).await
    }

    /// Resolves when the coordinator wants the attempt's run back.
    pub(crate) async fn yielding(&self, attempt: Attempt) {
        self.any_yielding(&[attempt]).await;
    }

    /// Whether the coordinator wants the attempt's run back.
    pub(crate) fn is_yielding(&self, attempt: Attempt) -> bool {
        self.held.borrow().get(&attempt).is_some_and(|lease| lease.yields)
    }

    /// Gives up the leases of attempts that are still trained and have not been confirmed for too long at `now`: for
    /// longer than the outages that are waited out, and for a whole term at least. A coordinator that comes back gives
    /// every running lease a fresh term, so most outages cost no work. Its answer to the next renewal names the
    /// attempts whose runs were given to others meanwhile.
    pub(crate) fn expire(&self, now: Instant) {
        let term = self.terms().term.max(self.outage);
        self.held.send_if_modified(|held| {
            retain(held, |_, lease| !lease.training || now.duration_since(lease.confirmed) < term)
        });
    }

    /// No trainer works on the attempt any more; see [`Lease::training`].
    pub(crate) fn settle(&self, attempt: Attempt) {
        self.held.send_if_modified(|held| {
            held.entry(attempt).and_modify(|lease| lease.training = false);
            false
        });
    }

    /// Drops a lease: the attempt has ended, or the coordinator refused its call.
    pub(crate) fn forget(&self, attempt: Attempt) {
        self.held.send_if_modified(|held| held.remove(&attempt).is_some());
    }

    /// Resolves when the lease is not held any more.
    pub(crate) async fn lost(&self, attempt: Attempt) {
        self.any_lost(&[attempt]).await;
    }

    /// Resolves with those of `attempts` whose lease is not held, as soon as there are any.
    pub(crate) async fn any_lost(&self, attempts: &[Attempt]) -> Vec<Attempt> {
        self.any(attempts, |held, attempt| !held.contains_key(attempt)).await
    }

    async fn any(
        &self,
        attempts: &[Attempt],
        is_meant: impl Fn(&HashMap<Attempt, Lease>, &Attempt) -> bool,
    ) -> Vec<Attempt> {
        let mut found = Vec::new();
        let mut changes = self.held.subscribe();
        let waiting = changes.wait_for(|held| {
            found = attempts.iter().filter(|attempt| is_meant(held, attempt)).copied().collect();
            !found.is_empty()
        });
        // `self` holds the sender, so waiting cannot end because there is none.
        let _ = waiting.await;
        found
    }
}

/// Removes the leases that `keep` does not want; returns whether there were any.
fn retain(held: &mut HashMap<Attempt, Lease>, keep: impl Fn(&Attempt, &Lease) -> bool) -> bool {
    let before = held.len();
    held.retain(|attempt, lease| keep(attempt, lease));
    held.len() < before
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Attempt = Attempt { run: 1, number: 1, token: 11 };
    const SECOND: Attempt = Attempt { run: 2, number: 5, token: 25 };
    const TERM: Duration = Duration::from_secs(30);

    fn fenced(attempts: &[Attempt]) -> RenewResponse {
        RenewResponse { fenced: attempts.to_vec(), ..RenewResponse::default() }
    }

    fn leases(start: Instant) -> Leases {
        let leases = Leases::new(Terms { term: TERM, renew_every: TERM / 3 }, Duration::ZERO);
        leases.grant(FIRST, start);
        leases.grant(SECOND, start);
        leases
    }

    #[test]
    fn a_lease_lasts_one_term_from_the_sending_of_its_last_confirmed_renewal() {
        let start = Instant::now();
        let leases = leases(start);
        leases.renewed(&[FIRST], start + TERM / 3, &fenced(&[]));
        leases.expire(start + TERM - Duration::from_millis(1));
        assert_eq!(leases.attempts().len(), 2);
        leases.expire(start + TERM);
        assert_eq!(leases.attempts(), [FIRST]);
        leases.expire(start + TERM + TERM / 3);
        assert_eq!(leases.attempts(), []);
    }

    #[test]
    fn a_lease_lasts_through_an_outage_that_is_waited_out_and_the_next_renewal_decides() {
        let start = Instant::now();
        let leases = Leases::new(Terms { term: TERM, renew_every: TERM / 3 }, 20 * TERM);
        leases.grant(FIRST, start);
        leases.grant(SECOND, start);
        leases.expire(start + 19 * TERM);
        leases.renewed(&[FIRST, SECOND], start + 19 * TERM, &fenced(&[SECOND]));
        leases.expire(start + 38 * TERM);
        assert_eq!(leases.attempts(), [FIRST]);
        leases.expire(start + 39 * TERM);
        assert_eq!(leases.attempts(), []);
    }

    #[test]
    fn an_attempt_that_only_reports_its_end_is_lost_neither_by_the_clock_nor_by_a_renewal() {
        let start = Instant::now();
        let leases = leases(start);
        leases.settle(FIRST);
        leases.renewed(&[FIRST, SECOND], start, &fenced(&[FIRST, SECOND]));
        leases.expire(start + 10 * TERM);
        assert_eq!(leases.attempts(), [FIRST]);
    }

    #[tokio::test]
    async fn whoever_waits_for_a_lost_lease_is_woken_when_its_attempt_is_fenced() {
        let start = Instant::now();
        let leases = leases(start);
        let fence = async { leases.renewed(&[FIRST, SECOND], start, &fenced(&[SECOND])) };
        let woken = async { tokio::join!(leases.any_lost(&[FIRST, SECOND]), fence).0 };
        let lost = tokio::time::timeout(Duration::from_secs(5), woken).await.unwrap();
        assert_eq!(lost, [SECOND]);
    }

    #[test]
    fn the_answer_to_a_renewal_sets_the_terms_unless_it_tells_none() {
        let start = Instant::now();
        let leases = leases(start);
        let told = |lease_ms, renew_ms| {
            leases.renewed(
                &[FIRST],
                start,
                &RenewResponse { lease_ms, renew_ms, ..RenewResponse::default() },
            );
            leases.terms()
        };
        let shorter = Terms { term: TERM / 10, renew_every: TERM / 30 };
        assert_eq!(told(3_000, 1_000), shorter);
        for (lease_ms, renew_ms) in [(0, 0), (1_000, 1_000)] {
            assert_eq!(told(lease_ms, renew_ms), shorter);
        }
    }
}
