//! Who comes with wrong tokens is answered more slowly, and told of in the log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many refusals of one address within a window are answered at once …
const AT_ONCE: u32 = 10;
/// … and later ones after this long.
const SLOWLY: Duration = Duration::from_secs(1);
/// After this long, an address begins anew.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered; beyond that, those whose window is over are forgotten, or else all.
const ADDRESSES: usize = 1024;

/// Refusals by address.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<Option<IpAddr>, Counted>>);

#[derive(Debug)]
struct Counted {
    since: Instant,
    refusals: u32,
}

impl Failures {
    /// Notes a refusal, for the reason given, and waits if there were many.
    pub(super) async fn note(&self, from: Option<IpAddr>, reason: &str) {
        let refusals = self.count(from, Instant::now());
        if refusals == 1 || refusals == AT_ONCE {
            let from = from.map_or_else(|| "an unknown address".to_owned(), |address| address.to_string());
            let reason = reason.lines().next().unwrap_or_default();
            tracing::warn!(%from, refusals, "refused: {reason}");
        }
        if refusals > AT_ONCE {
            tokio::time::sleep(SLOWLY).await;
        }
    }

    /// How often the address was refused in its window, with this time.
    fn count(&self, from: Option<IpAddr>, now: Instant) -> u32 {
        let mut addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= ADDRESSES && !addresses.contains_key(&from) {
            addresses.retain(|_, counted| now.duration_since(counted.since) < WINDOW);
            if addresses.len() >= ADDRESSES {
                addresses.clear();
            }
        }
        let counted = addresses.entry(from).or_insert(Counted { since: now, refusals: 0 });
        if now.duration_since(counted.since) >= WINDOW {
            *counted = Counted { since: now, refusals: 0 };
        }
        counted.refusals = counted.refusals.saturating_add(1);
        counted.refusals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_an_address_are_counted_for_a_minute() {
        let failures = Failures::default();
        let (start, one) = (Instant::now(), Some(IpAddr::from([10, 0, 0, 1])));
        assert_eq!([1, 2, 3].map(|_| failures.count(one, start)), [1, 2, 3]);
        assert_eq!(failures.count(None, start), 1);
        assert_eq!(failures.count(one, start + WINDOW), 1);
    }

    #[test]
    fn however_many_addresses_come_only_some_are_remembered() {
        let failures = Failures::default();
        let start = Instant::now();
        for number in 0..3 * u32::try_from(ADDRESSES).unwrap() {
            failures.count(Some(IpAddr::from(number.to_be_bytes())), start);
        }
        assert!(failures.0.lock().unwrap().len() <= ADDRESSES);
    }
}
