//! Processor time, which says more than the clock on a shared machine.

use rustix::time::{ClockId, clock_gettime};

/// Seconds that all threads of this process have used.
pub(crate) fn seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
