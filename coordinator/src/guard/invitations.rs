//! Links that let a browser in: each once, and only for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

/// An invitation that nobody has taken is void after this long.
const VALID: Duration = Duration::from_secs(3600);
/// Invitations at a time; a further one makes the oldest void.
const MOST: usize = 16;

/// The invitations that can still be taken, of which only digests are kept.
#[derive(Debug, Default)]
pub(super) struct Invitations(Mutex<Vec<Invitation>>);

#[derive(Debug)]
struct Invitation {
    digest: [u8; 32],
    since: Instant,
}

impl Invitations {
    /// A new one: 128 random bits, as letters and digits that may stand in a URL.
    pub(super) fn make(&self) -> String {
        let code = format!("{:032x}", rand::rng().random::<u128>());
        let mut open = self.open(Instant::now());
        if open.len() >= MOST {
            open.remove(0);
        }
        open.push(Invitation { digest: digest(&code), since: Instant::now() });
        code
    }

    /// Whether this is one; from now on it is not.
    pub(super) fn take(&self, code: &str) -> bool {
        self.take_at(code, Instant::now())
    }

    fn take_at(&self, code: &str, now: Instant) -> bool {
        let (digest, mut open) = (digest(code), self.open(now));
        let place = open.iter().position(|invitation| invitation.digest == digest);
        place.map(|place| open.remove(place)).is_some()
    }

    fn open(&self, now: Instant) -> MutexGuard<'_, Vec<Invitation>> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|invitation| now.duration_since(invitation.since) < VALID);
        open
    }
}

fn digest(code: &str) -> [u8; 32] {
    Sha256::digest(code).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_taken_once_and_not_after_an_hour() {
        let invitations = Invitations::default();
        let (first, second) = (invitations.make(), invitations.make());
        assert_ne!(first, second);
        assert!(!invitations.take("") && !invitations.take(&first[1..]));
        assert!(invitations.take(&first) && !invitations.take(&first));
        assert!(!invitations.take_at(&second, Instant::now() + VALID));
    }

    #[test]
    fn of_many_invitations_the_oldest_are_void() {
        let invitations = Invitations::default();
        let codes: Vec<String> = (0..=MOST).map(|_| invitations.make()).collect();
        let taken: Vec<bool> = codes.iter().map(|code| invitations.take(code)).collect();
        assert_eq!(taken.iter().filter(|taken| **taken).count(), MOST);
        assert!(!taken[0]);
    }
}
