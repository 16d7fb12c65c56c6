//! Clocks: they show the virtual time of the host that asks.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use libc::{c_int, clockid_t, timespec};

/// What every clock shows when a simulation begins, in seconds: 2026-01-01 for those that count from 1970.
const BEGINNING: u64 = 1_767_225_600;

static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
/// What was shown last, in nanoseconds since the beginning: for whoever asks outside of all hosts.
static LAST: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this thread is just looking at the clock.
    static IS_LOOKING: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn begin() {
    HAS_BEGUN.store(true, Ordering::Relaxed);
}

/// Virtual time since the beginning.
pub(crate) fn elapsed() -> Duration {
    let last = || Duration::from_nanos(LAST.load(Ordering::Relaxed));
    // Outside of a simulated host tokio would ask the system's clock, and that is this one.
    if tokio::runtime::Handle::try_current().is_err() || IS_LOOKING.replace(true) {
        return last();
    }
    let elapsed = turmoil::sim_elapsed();
    IS_LOOKING.set(false);
    if let Some(elapsed) = elapsed {
        LAST.store(elapsed.as_nanos() as u64, Ordering::Relaxed);
    }
    elapsed.unwrap_or_else(last)
}

/// # Safety
/// `shown` has room for a time.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: clockid_t, shown: *mut timespec) -> c_int {
    if !HAS_BEGUN.load(Ordering::Relaxed) {
        // SAFETY: as the caller promises.
        return unsafe { libc::syscall(libc::SYS_clock_gettime, clock, shown) as c_int };
    }
    let now = Duration::from_secs(BEGINNING) + elapsed();
    // SAFETY: as the caller promises.
    unsafe { shown.write(timespec { tv_sec: now.as_secs() as i64, tv_nsec: now.subsec_nanos().into() }) };
    0
}
