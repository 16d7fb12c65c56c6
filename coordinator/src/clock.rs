//! The one clock that leases are judged by.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Unix milliseconds that never jump: the wall clock as it was at the start, plus time elapsed since.
///
/// A wall clock set back or forth while the coordinator runs can neither expire a lease nor
/// keep one alive; across a restart every running lease gets a fresh term instead.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    started_unix_ms: i64,
}

impl Clock {
    /// Reads the wall clock, once.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the wall clock")]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_unix_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Clock { started: Instant::now(), started_unix_ms }
    }

    /// Now, in unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.started_unix_ms.saturating_add(elapsed)
    }
}
