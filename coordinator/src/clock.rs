//! The clock that leases are judged by, where the database has none of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Unix milliseconds that never jump: the wall clock as it was at the start, plus time elapsed since.
///
/// A wall clock set back or forth while the coordinator runs can neither expire a lease nor
/// keep one alive; across a restart every running lease gets a fresh term instead.
#[derive(Debug, Clone)]
pub enum Clock {
    /// This machine's.
    Machine {
        /// On the clock that does not jump.
        started: Instant,
        /// On the wall clock.
        started_unix_ms: i64,
    },
    /// Moved by hand, for tests.
    Manual(ManualClock),
}

impl Clock {
    /// Reads the wall clock, once.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the wall clock")]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_unix_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Clock::Machine { started: Instant::now(), started_unix_ms }
    }

    /// Now, in unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match self {
            Clock::Machine { started, started_unix_ms } => {
                let elapsed = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
                started_unix_ms.saturating_add(elapsed)
            }
            Clock::Manual(clock) => clock.now_ms(),
        }
    }
}

/// A clock that stands still until it is moved. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Makes it `now_ms`.
    pub fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }

    /// What it shows.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
